"""The settings of the service, read from the environment (VULTUS_...) or a .env file.

Nested groups use two underscores: VULTUS_LIMITS__MAX_PIXELS.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NestedSecretsSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.former_settings import current

_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_SYSLOG_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
"""The ports that IANA has registered."""
_TOPIC = re.compile(r"[^/#+$\x00-\x1f\x7f][^/#+\x00-\x1f\x7f]*(/[^/#+\x00-\x1f\x7f]+)*")
AUTO_EMBEDDER = "auto"
COMPATIBLE_APIS = ("compreface", "deepstack", "rekognition")
"""Names of the dialects of `app/compat`."""
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9._:\[\]-]+")


def _none_if_empty(value: Any) -> Any:  # noqa: ANN401  (pydantic hands over raw input)
    return None if value == "" else value


def _split_at_commas(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Group):
    """Limits."""

    max_image_bytes: int = Field(50_000_000, ge=1_000, description="Largest image file, in bytes.")
    max_pixels: int = Field(
        220_000_000,
        ge=10_000,
        description="Largest image, width x height in pixels; see also decode_memory_bytes.",
    )
    max_request_bytes: int = Field(
        100_000_000, ge=10_000, description="Largest request body, in bytes."
    )
    max_bytes_in_flight: int = Field(
        500_000_000,
        ge=10_000,
        description="Request bodies being read or worked on, in bytes; more are answered 503.",
    )
    requests_per_s: float | None = Field(
        None,
        gt=0,
        le=1_000_000,
        description="Requests a second of one API key, or one address without keys (else no limit)",
    )
    requests_burst: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Requests that may come at once above that rate (else a second's worth).",
    )
    concurrent_requests: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Requests of one API key, or address, that are answered at once (else no "
        "limit).",
    )
    searches_per_person: int = Field(
        20,
        ge=1,
        le=1_000_000,
        description="Searches an hour of one caller without the right templates, by an embedding "
        "or an enrolled face, that may show the same person.",
    )
    searches_in_vain: int = Field(
        1_000,
        ge=1,
        le=1_000_000,
        description="The same searches an hour that may show nobody.",
    )
    max_connections: int = Field(
        1_000, ge=1, le=100_000, description="Connections that are open at once, in one process."
    )
    patience_s: float = Field(
        10.0,
        gt=0,
        le=3_600,
        description="Seconds that headers may take, or that a body may stand still (else 408).",
    )
    max_images: int = Field(32, ge=1, le=1_000, description="Most images in one request.")
    max_faces: int = Field(
        100, ge=1, le=1_000, description="Most faces of one photo that are embedded, largest first."
    )
    decode_memory_bytes: int = Field(
        1_000_000_000,
        ge=1_000_000,
        description="Memory for all photos that are decoded at once; more of them wait, and one "
        "that needs more by itself is refused.",
    )
    max_waiting: int = Field(
        256, ge=1, description="Photos that may wait for a thread; more are answered 503."
    )


class DetectorSettings(_Group):
    """Detector."""

    name: str = Field("yunet", description="Name of the face detector.")
    max_side_px: int = Field(
        1280, ge=64, le=10_000, description="Longest side of the copy that the detector sees."
    )
    min_face_size_px: int = Field(
        40, ge=20, le=1_000, description="Smallest face looked for, in pixels of the photo."
    )
    min_score: float | None = Field(
        None,
        ge=0.3,
        le=1.0,
        description="Least detection score that counts as a face (default: the detector's own). "
        "MTCNN finds no face below 0.7.",
    )

    _unset = field_validator("min_score", mode="before")(_none_if_empty)


class LivenessSettings(_Group):
    """Liveness."""

    name: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated liveness networks, whose mean score is answered to requests "
        "that ask for it (else none).",
    )
    threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least score that counts as live, instead of the one fitted by vultus "
        "liveness fit.",
    )

    _split = field_validator("name", mode="before")(_split_at_commas)

    @field_validator("name")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value))

    _unset = field_validator("threshold", mode="before")(_none_if_empty)


class NextSettings(_Group):
    """Next embedder."""

    embedder: str | None = Field(
        None, description="Name of a second embedder, to carry collections to it (else none)."
    )
    weights_path: Path | None = Field(
        None, description="Its weights file, instead of the published one."
    )
    shadow: bool = Field(
        False,
        description="Decide by it, too, whenever somebody is identified, and count agreement.",
    )

    _unset = field_validator("embedder", "weights_path", mode="before")(_none_if_empty)


class CatalogueSettings(_Group):
    """Catalogue of published networks."""

    mirror: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+[^\s?#]*$",
        description="URL below which a mirror has published networks, as HOST/PATH of their "
        "source (else the source itself).",
    )
    folder: Path | None = Field(
        None,
        description="Folder that published networks are taken from by file name; nothing is "
        "downloaded then.",
    )

    _unset = field_validator("mirror", "folder", mode="before")(_none_if_empty)


class ThresholdSettings(_Group):
    """Thresholds."""

    target_fmr: float = Field(1e-3, gt=0, lt=1, description="Default false match rate of verify.")
    target_fpir: float = Field(
        0.01, gt=0, lt=1, description="Default false positive identification rate of identify."
    )
    verify: float | None = Field(
        None, ge=-1, le=1, description="Default similarity of verify, instead of that rate's."
    )
    identify: float | None = Field(
        None, ge=-1, le=1, description="Default similarity of identify, instead of that rate's."
    )


class GuardSettings(_Group):
    """Guards."""

    enabled: bool = Field(
        True, description="Refuse photos that seem to be of another person, at enrolment."
    )


class DatabaseSettings(_Group):
    """Database."""

    auto_upgrade: bool = Field(True, description="Migrate the database when the service starts.")
    timeout_s: float = Field(
        30.0, gt=0, le=600, description="Longest wait for a connection or a lock, in seconds."
    )


class IndexSettings(_Group):
    """Index."""

    milvus_uri: str | None = Field(
        None, description="Search in this Milvus (http://host:19530) and not in memory."
    )
    milvus_token: SecretStr | None = Field(None, description="user:password, or a token.")
    milvus_index: Literal["flat", "hnsw", "auto"] = Field(
        "flat",
        description="Compare every face, follow a graph, or leave it to Milvus (Zilliz); for what "
        "is uploaded from then on.",
    )
    milvus_fallback: Literal["none", "exact"] = Field(
        "none", description="While Milvus is away: answer 503, or search in memory (exact)."
    )

    _unset = field_validator("milvus_uri", "milvus_token", mode="before")(_none_if_empty)


class RetentionSettings(_Group):
    """Retention."""

    unknown_s: float = Field(
        2_592_000.0,
        gt=0,
        le=31_622_400,
        description="Seconds that unknown faces are kept, where a collection keeps them.",
    )
    unknown_faces: int = Field(
        50_000,
        ge=1,
        le=1_000_000,
        description="Most unknown faces of a collection; the oldest leave first.",
    )


class AuditSettings(_Group):
    """Audit log."""

    enabled: bool = Field(
        True, description="Write a line about each change, and about reads where asked for."
    )
    key: SecretStr | None = Field(
        None,
        description="32 bytes in base64, by which the lines are chained (else audit.key in the "
        "data folder, made at the first start).",
    )
    former_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated earlier keys, to verify lines that they have chained."
    )
    signing_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64: the Ed25519 key that signs the ends of the chains (else "
        "audit-signing.key in the data folder, made when it is needed).",
    )
    former_public_keys: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="Comma-separated files of earlier public keys, as `vultus audit key` printed "
        "them.",
    )
    sign_every_s: float = Field(
        300.0,
        ge=1,
        le=1_000_000,
        description="Seconds between two signatures, where there are new lines; 10,000 new lines "
        "are signed sooner.",
    )
    file: Path | None = Field(
        None, description="File to which each line is appended as well, as JSON Lines (else none)."
    )
    syslog: str | None = Field(
        None,
        description="Where each line is sent as well, by syslog (RFC 5424): udp://HOST:PORT, "
        "tcp://HOST:PORT, tls://HOST:PORT, or unix:/dev/log (else nowhere).",
    )
    syslog_ca: Path | None = Field(
        None,
        description="Certificates (PEM) that a tls collector's must follow from (else the "
        "system's).",
    )
    syslog_certificate: Path | None = Field(
        None, description="Certificate (PEM) that is shown to a tls collector (else none)."
    )
    syslog_key: Path | None = Field(
        None, description="Key (PEM) of that certificate (else in the same file)."
    )
    retention_s: float = Field(
        63_072_000.0,
        ge=3_600,
        le=1_000_000_000,
        description="Seconds that lines are kept; two years if not set.",
    )

    _unset = field_validator(
        "key",
        "signing_key",
        "file",
        "syslog",
        "syslog_ca",
        "syslog_certificate",
        "syslog_key",
        mode="before",
    )(_none_if_empty)
    _split = field_validator("former_keys", "former_public_keys", mode="before")(_split_at_commas)

    @field_validator("syslog")
    @classmethod
    def _reachable(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        port = _SYSLOG_PORTS.get(parts.scheme)
        if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
            return value
        if port is None or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(
                "must be udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT or unix:/dev/log"
            )
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{parts.scheme}://{host}:{parts.port or port}"


class WebhookSettings(_Group):
    """Webhooks."""

    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated hosts to which webhooks may be sent; *.example.com for those "
        "below a name (else all with a public address).",
    )
    networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated addresses or networks, as 10.1.2.0/24, that webhooks may "
        "reach although they are not public.",
    )
    http: bool = Field(False, description="Permit http:// beside https://.")
    timeout_s: float = Field(
        15.0, ge=0.1, le=60, description="Seconds within which a message has to be answered."
    )
    first_retry_s: float = Field(
        5.0,
        ge=0.05,
        le=3_600,
        description="Seconds until a message is sent again after its first failure; each further "
        "failure doubles them, up to ten minutes.",
    )
    give_up_s: float = Field(
        86_400.0,
        ge=1,
        le=2_592_000,
        description="Seconds after the first attempt from which on a message is not sent again by "
        "itself.",
    )

    _split = field_validator("hosts", "networks", mode="before")(_split_at_commas)

    @field_validator("networks")
    @classmethod
    def _usable_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            _require_network(network)
        return value


class MqttSettings(_Group):
    """MQTT."""

    url: str | None = Field(
        None,
        pattern=r"^mqtts?://(\[[0-9a-fA-F:.]+\]|[^\s/@:?#\[\]]+)(:[0-9]{1,5})?/?$",
        description="Broker to which events are published, mqtt://host:1883, or mqtts:// by TLS "
        "(else none). It needs the extra mqtt of the package.",
    )
    username: str | None = Field(None, description="User name at the broker (else none).")
    password: SecretStr | None = Field(None, description="Its password.")
    password_file: Path | None = Field(
        None, description="File with the password, instead of password."
    )
    ca: Path | None = Field(
        None,
        description="Certificates, in PEM, of those who sign the broker's (else those of the "
        "system).",
    )
    cert: Path | None = Field(
        None, description="Certificate of this client, in PEM, where the broker asks for one."
    )
    key: Path | None = Field(
        None, description="Its private key, in PEM and without a password (else it is in cert)."
    )
    client_id: str = Field(
        "vultus",
        pattern=r"^[A-Za-z0-9_.-]{1,48}$",
        description="Beginning of the client identifiers; each process adds letters of its own.",
    )
    topic: str = Field(
        "vultus", max_length=256, description="Topic below which everything is published."
    )
    qos: Literal[0, 1, 2] = Field(
        1, description="Quality of service; with 0, events can be lost between broker and service."
    )
    retain: bool = Field(
        True,
        description="Let the broker keep who was seen last at each terminal, for those who "
        "subscribe later.",
    )
    names: bool = Field(
        False, description="Publish the names of people who are recognised, beside their ids."
    )
    collections: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated collections whose events are published (else all)."
    )
    home_assistant: str | None = Field(
        "homeassistant",
        max_length=256,
        description="Topic of Home Assistant's discovery, so that it finds the terminals; empty: "
        "do not announce them.",
    )
    double_take: bool = Field(
        False,
        description="Also publish double-take/matches/NAME and double-take/cameras/TERMINAL.",
    )

    _split = field_validator("collections", mode="before")(_split_at_commas)
    _unset = field_validator(
        "url",
        "username",
        "password",
        "password_file",
        "ca",
        "cert",
        "key",
        "home_assistant",
        mode="before",
    )(_none_if_empty)

    @field_validator("topic", "home_assistant")
    @classmethod
    def _usable_topic(cls, value: str | None) -> str | None:
        if value is not None and not _TOPIC.fullmatch(value):
            raise ValueError(
                "must be levels with / between them, without #, + and control characters"
            )
        return value


class CompreFaceSettings(_Group):
    """The API of CompreFace."""

    quality_filter: Literal["none", "floor", "low", "auto", "medium", "high"] = Field(
        "low",
        description="How good a face must be that is enrolled through the API of CompreFace, as "
        "`quality_filter` of /v1.",
    )
    guards: bool = Field(
        False,
        description="Refuse photos through the API of CompreFace that seem to show another person "
        "than their subject, as /v1 does.",
    )
    static_images: bool = Field(
        False,
        description="Answer crops of faces at /api/v1/static/KEY/images/ID, as pages need it that "
        "show them. Keys in addresses are kept by browsers, and by the logs of proxies.",
    )


class DeepStackSettings(_Group):
    """The API of DeepStack."""

    quality_filter: Literal["none", "floor", "low", "auto", "medium", "high"] = Field(
        "low",
        description="How good a face must be that is registered through the API of DeepStack, as "
        "`quality_filter` of /v1.",
    )
    guards: bool = Field(
        False,
        description="Refuse photos through the API of DeepStack that seem to show another person "
        "than their userid, as /v1 does.",
    )


class ConsoleSettings(_Group):
    """Console."""

    enabled: bool = Field(
        True, description="Serve the console at /console/, and lead browsers there from /."
    )


class DocsSettings(_Group):
    """Documentation."""

    enabled: bool = Field(
        True, description="Serve the description of the API: /openapi.json, and its page at /docs."
    )


class TlsSettings(_Group):
    """TLS."""

    cert: Path | None = Field(
        None,
        description="Certificate with its chain, in PEM: vultus serve then answers https alone "
        "(else http).",
    )
    key: Path | None = Field(
        None,
        description="Private key of the certificate, in PEM and without a password (else it is in "
        "the file of the certificate).",
    )

    client_ca: Path | None = Field(
        None,
        description="Certificates of authorities, in PEM, by which clients have to prove who they "
        "are (mutual TLS; else no client certificate is asked for).",
    )
    client_certs: Literal["required", "optional"] = Field(
        "required",
        description="With client_ca: refuse connections without a client certificate, or only "
        "those with a wrong one.",
    )

    _unset = field_validator("cert", "key", "client_ca", mode="before")(_none_if_empty)


class LogSettings(_Group):
    """Log."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level.")
    format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto is console on a terminal, else json."
    )


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="VULTUS_",
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8-sig",  # some editors begin a file with a byte order mark
        extra="ignore",
        frozen=True,
    )

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for every interface.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on.")
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated names by which the service is reached, beside localhost and "
        "IP addresses; * for all. Others are refused while no key is demanded.",
    )
    root_path: str = Field(
        "", description="Path at which a proxy publishes the service, as /faces (else none)."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1", "::1"),
        description="Comma-separated addresses or networks of proxies, whose X-Forwarded-For and "
        "X-Forwarded-Proto count; * for all.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated origins (https://host) whose pages may use the API; * for "
        "all.",
    )
    compat: Annotated[tuple[str, ...], NoDecode] = Field(
        COMPATIBLE_APIS,
        description="Comma-separated APIs of other services that are answered as well: "
        "compreface, deepstack, rekognition; empty for none.",
    )
    processes: int = Field(1, ge=1, le=256, description="Server processes on this machine.")
    threads: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Threads of a process that detect and embed (default: one a core, shared by "
        "the processes, or 2 on a GPU).",
    )
    data_dir: Path = Field(
        Path("data"), description="Database, index snapshots and fetched weights."
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy or postgresql:// URL (else SQLite in the data folder)."
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", description="auto is CUDA, else MPS, else CPU."
    )
    backend: Literal["auto", "torch", "onnxruntime", "openvino"] = Field(
        "auto",
        description="What runs the networks: torch, or on the CPU onnxruntime or openvino; auto: "
        "for each network what is fastest and installed.",
    )
    embedder: str = Field(
        AUTO_EMBEDDER,
        description="Name of the embedding network; auto is that of the database's faces, else "
        "the default one.",
    )
    weights_path: Path | None = Field(
        None, description="Weights file of the embedder, instead of the published one."
    )
    weights_dir: Path | None = Field(
        None, description="Where fetched weights are kept (else weights/ in the data folder)."
    )
    prepared_dir: Path | None = Field(
        None,
        description="Where networks are kept as ONNX Runtime has prepared them for this processor, "
        "so that a start takes less time and processes share them (else prepared/ in the data "
        "folder). It may be deleted at any time.",
    )
    next: NextSettings = Field(default_factory=NextSettings)
    catalogue: CatalogueSettings = Field(default_factory=CatalogueSettings)
    half_precision: bool = Field(
        True,
        description="Run the embedder in 16-bit floats where that is faster: float16 on CUDA, "
        "bfloat16 in OpenVINO on processors that compute it.",
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Comma-separated keys of admins; when set, /v1 requires a key in x-api-key. "
        "See also vultus keys.",
    )
    api_keys_file: Path | None = Field(
        None,
        description="File with further keys of admins, one a line; # begins a comment. It is read "
        "again when it changes. Other users must not be able to write it.",
    )
    metrics_and_docs_need_key: bool = Field(
        False,
        description="Ask for a key with the right read at /metrics, /docs and /openapi.json as "
        "well.",
    )
    secrets_dir: Path | None = Field(
        None,
        description="Folder with settings as files, such as /run/secrets: VULTUS_MASTER_KEY, "
        "VULTUS_AUDIT__KEY, each named like its variable, which wins.",
    )
    open_to_all: bool = Field(
        False,
        description="Start without a key also on an address that other machines reach: whoever "
        "reaches it may do everything.",
    )
    exact_similarities: bool = Field(
        False,
        description="Without keys, answer all similarities exactly: the embeddings of people can "
        "be computed from them. With keys, the right templates decides.",
    )
    keys_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64, by which the secrets of pairs for AWS's SDKs are sealed "
        "without a master key (else keys.key in the data folder, made when it is needed).",
    )
    crops_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64, by which crops are encrypted where collections keep them.",
    )
    master_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64, under which embeddings and crops are encrypted in the "
        "database; former keys after it, comma-separated, while it is changed. See also "
        "vultus encrypt.",
    )
    master_key_file: Path | None = Field(
        None,
        description="File with the master key in place of that setting: a key a line, the former "
        "ones after it. Other users must not be able to read it.",
    )
    master_key_command: str | None = Field(
        None,
        description="Command that prints the same, such as a client of a key management service; "
        "it runs without a shell, once in each process.",
    )
    limits: Limits = Field(default_factory=Limits)
    detector: DetectorSettings = Field(default_factory=DetectorSettings)
    liveness: LivenessSettings = Field(default_factory=LivenessSettings)
    thresholds: ThresholdSettings = Field(default_factory=ThresholdSettings)
    guards: GuardSettings = Field(default_factory=GuardSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    index: IndexSettings = Field(default_factory=IndexSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    audit: AuditSettings = Field(default_factory=AuditSettings)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    mqtt: MqttSettings = Field(default_factory=MqttSettings)
    compreface: CompreFaceSettings = Field(default_factory=CompreFaceSettings)
    deepstack: DeepStackSettings = Field(default_factory=DeepStackSettings)
    console: ConsoleSettings = Field(default_factory=ConsoleSettings)
    docs: DocsSettings = Field(default_factory=DocsSettings)
    tls: TlsSettings = Field(default_factory=TlsSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    _split = field_validator("hosts", "trusted_proxies", "cors_origins", "compat", mode="before")(
        _split_at_commas
    )

    @field_validator("api_keys", mode="before")
    @classmethod
    def _some_keys(cls, value: Any) -> Any:  # noqa: ANN401
        keys = _split_at_commas(value)
        # A setting that means to demand keys, and names none, must not open the service. Empty is
        # what a compose file passes on for a variable that is not set.
        if value and not keys:
            raise ValueError("it names no key: set keys of 16 characters or more, or leave it out")
        return keys

    @field_validator("root_path")
    @classmethod
    def _usable_root_path(cls, value: str) -> str:
        path = value.rstrip("/")
        if path and (not _ROOT_PATH.fullmatch(path) or path.startswith("/v1")):
            raise ValueError("must be a path like /faces, and not begin with /v1 as the API does")
        return path

    @field_validator("compat")
    @classmethod
    def _known_apis(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in COMPATIBLE_APIS:
                raise ValueError(f"{name!r} must be one of {', '.join(COMPATIBLE_APIS)}")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _usable_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            if proxy != "*":
                _require_network(proxy)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _usable_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} must be an origin as browsers send it: https://host, or "
                    "http://host:port, in lower case and without a path; or *"
                )
        return value

    _unset = field_validator(
        "threads",
        "database_url",
        "weights_path",
        "weights_dir",
        "api_keys_file",
        "secrets_dir",
        "keys_key",
        "crops_key",
        "master_key",
        "master_key_file",
        "master_key_command",
        mode="before",
    )(_none_if_empty)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (pydantic gives it)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read variables of an earlier version under the names of this one."""
        for source in (env_settings, dotenv_settings):
            assert isinstance(source, EnvSettingsSource)
            source.env_vars = current(source.env_vars)
        folder = _secrets_folder(env_settings, dotenv_settings)
        files = file_secret_settings
        if folder is not None:
            files = NestedSecretsSettingsSource(
                file_secret_settings, secrets_dir=folder, secrets_dir_missing="error"
            )
        return init_settings, env_settings, dotenv_settings, files

    @cached_property
    def resolved_database_url(self) -> str:
        """The URL in the form of SQLAlchemy; PostgreSQL always through psycopg 3."""
        if self.database_url is None:
            return f"sqlite:///{(self.data_dir / 'vultus.db').absolute()}"
        for plain in ("postgresql://", "postgres://"):
            if self.database_url.startswith(plain):
                return "postgresql+psycopg://" + self.database_url.removeprefix(plain)
        return self.database_url

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """Names of all environment variables that are read."""
        return tuple(_variables(cls, str(cls.model_config["env_prefix"])))

    @classmethod
    def groups(cls) -> tuple[str, ...]:
        """Names of the groups, each of which may also be given as one JSON object."""
        prefix = str(cls.model_config["env_prefix"])
        return tuple(
            f"{prefix}{name.upper()}"
            for name, field in cls.model_fields.items()
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        )

    @property
    def resolved_weights_dir(self) -> Path:
        return self.weights_dir or self.data_dir / "weights"

    @property
    def resolved_prepared_dir(self) -> Path:
        return self.prepared_dir or self.data_dir / "prepared"

    @property
    def liveness_dir(self) -> Path:
        """The folder of fitted liveness thresholds."""
        return self.data_dir / "liveness"

    @property
    def snapshots_dir(self) -> Path:
        """The folder of the indexes' files."""
        return self.data_dir / "index"


def _secrets_folder(*sources: PydanticBaseSettingsSource) -> str | None:
    """Find the folder of secrets before the settings are read; the first source wins."""
    for source in sources:
        assert isinstance(source, EnvSettingsSource)
        found = source.env_vars.get("vultus_secrets_dir")
        if found:
            return found
    return None


def _require_network(proxy: str) -> None:
    try:
        ip_network(proxy)
    except ValueError as error:
        raise ValueError(f"{proxy!r} must be an address, or a network as 10.0.0.0/8") from error


def _variables(group: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in group.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _variables(kind, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"
