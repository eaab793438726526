"""axe-core in a page: what WCAG 2.2 AA asks for and a program can see."""

from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

_SOURCE = AXE_FILE_PATH.read_text(encoding="utf-8")
_RUN = """
async (options) => {
  // A colour on its way to another one is neither.
  const changing = document.getAnimations().filter((one) => one instanceof CSSTransition);
  await Promise.allSettled(changing.map((one) => one.finished));
  const { violations, incomplete } = await axe.run(document, options);
  const shortened = (list) => list.map(({ id, help, nodes }) => ({
    id, help, nodes: nodes.map(({ html, target, failureSummary }) => ({
      html: html.slice(0, 200), target: target.join(" "), why: failureSummary })) }));
  return { violations: shortened(violations), incomplete: shortened(incomplete) };
}
"""
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_FOR_EYES = {"color-contrast", "video-caption"}
"""Rules that axe leaves to a person."""


def run_axe(page: Page, *, only_contrast: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Return axe's `violations` and `incomplete`: each with `id`, `help` and `nodes`."""
    # Not as a script element, which the page's trusted types refuse.
    if not page.evaluate("() => 'axe' in globalThis"):
        page.evaluate(_SOURCE)
    wanted = (
        {"type": "rule", "values": ["color-contrast"]}
        if only_contrast
        else {"type": "tag", "values": _TAGS}
    )
    found: dict[str, list[dict[str, Any]]] = page.evaluate(_RUN, {"runOnly": wanted})
    return found


def require_accessible(page: Page, *, only_contrast: bool = False) -> None:
    """Raises AssertionError with all violations; and all that axe could not decide, except the
    contrast of text over a picture, and captions of the camera's live picture, which is silent."""
    found = run_axe(page, only_contrast=only_contrast)
    undecided = [rule for rule in found["incomplete"] if rule["id"] not in _FOR_EYES]
    texts = [
        f"{rule['id']}: {rule['help']}\n    {node['target']}\n    {node['html']}\n    {node['why']}"
        for rule in found["violations"] + undecided
        for node in rule["nodes"]
    ]
    assert not texts, "\n".join(texts)
