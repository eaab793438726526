"""Parts of paths that routes take out of them."""

from starlette.convertors import StringConvertor, register_url_convertor

BEFORE_COLON = "before_colon"
"""Name of the convertor for an id before a verb: else ID:verb would be taken for an id by the
routes without a verb."""


class _BeforeColon(StringConvertor):
    regex = "[^/:]+"


register_url_convertor(BEFORE_COLON, _BeforeColon())
