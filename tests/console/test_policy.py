"""The policy of the console in a real browser: what is planted into a page does nothing."""

import pytest
from playwright.sync_api import Page, expect

from tests.console.console_server import OTHER_NAME, ConsoleServer
from tests.console.watched_pages import WatchedPages

SCRIPT = """() => {
  const script = document.createElement("script");
  script.append("document.title = 'planted'");
  document.body.append(script);
}"""
HANDLER = """() => {
  const button = document.createElement("button");
  button.setAttribute("onclick", "document.title = 'planted'");
  document.body.append(button);
  button.click();
}"""
CODE = "() => { new Function(`document.title = 'planted'`)(); }"
HTML = """() => {
  document.body.innerHTML = `<img src="x" onerror="document.title = 'planted'">`;
}"""
STYLE = """() => {
  const planted = document.createElement("p");
  planted.setAttribute("style", "position: fixed");
  document.body.append(planted);
  if (getComputedStyle(planted).position === "fixed") document.title = "planted";
}"""
LATER = """() => new Promise((done) => setTimeout(() => {
  try { (PLANTED)(); } catch (error) { console.log(String(error)); }
  setTimeout(done);
}))"""
"""What the browser's own tools evaluate is exempt from the policy, what a timer calls is not."""
ELSEWHERE = """() => {
  const script = document.createElement("script");
  script.src = "https://vultus.example/planted.js";
  document.body.append(script);
}"""


@pytest.mark.parametrize(
    ("planted", "directive"),
    [
        pytest.param(SCRIPT, "require-trusted-types-for", id="script"),
        pytest.param(HANDLER, "script-src|require-trusted-types-for", id="handler"),
        pytest.param(CODE, "script-src|require-trusted-types-for", id="code from text"),
        pytest.param(HTML, "require-trusted-types-for", id="html"),
        pytest.param(STYLE, "style-src", id="style"),
        pytest.param(ELSEWHERE, "require-trusted-types-for", id="script from elsewhere"),
    ],
)
def test_what_is_planted_is_refused(
    page: Page, server: ConsoleServer, watched: WatchedPages, planted: str, directive: str
) -> None:
    page.goto(server.url)
    expect(page.locator("h1")).to_be_visible()
    page.evaluate(LATER.replace("PLANTED", planted))
    assert "planted" not in page.title()
    assert any("policy violated: " in problem for problem in watched.problems)
    watched.allow(rf"policy violated: ({directive})|[Cc]ontent[ -][Ss]ecurity[ -][Pp]olicy|Trusted")


def test_console_is_not_shown_in_a_frame(
    page: Page, server: ConsoleServer, watched: WatchedPages
) -> None:
    watched.allow("frame-ancestors|chrome-error|Framing")
    page.goto(f"http://{OTHER_NAME}:{server.port}/v1/info")
    page.set_content(f'<iframe src="{server.url}"></iframe>')
    expect(page.frame_locator("iframe").locator("main")).to_have_count(0)
    assert all("Vultus" not in frame.title() for frame in page.frames[1:])
