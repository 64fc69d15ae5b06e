from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.event.html_body import canonical_html, inserted
from workers.graph.join_block import Cut, block_for, html_of, names, split
from workers.graph.markup import elements, text_within

URL = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_Ab%40thread.v2/0?context=%7b%22Tid%22%3a%22t%22%7d"
OTHER = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_Other%40thread.v2/0"
LINE = "_" * 80
NEW_TEAMS = f"""<div class="me-email-text" lang="en-US" style="max-width:1024px">
<div aria-hidden="true" style="overflow:hidden">{LINE}</div>
<div><span class="me-email-text">Microsoft Teams</span></div>
<div><a href="{escape(URL)}" id="meet_invite_block.action.join_link" class="me-email-headline">Join us</a></div>
<div><span class="me-email-text-secondary">Meeting ID: </span><span class="me-email-text">123</span></div>
<div aria-hidden="true">{LINE}</div>
</div>"""
OLD_TEAMS = f"""<div style="width:100%"><span style="white-space:nowrap">{LINE}</span></div>
<div class="me-email-text"><div><a class="me-email-headline" href="{escape(URL)}">Click here to join</a></div></div>
<div style="font-size:12px"></div><div></div>
<div style="width:100%"><span>{LINE}</span></div>"""
WORD = f"""<p class="MsoNormal"><span style="color:#5F5F5F">{LINE}</span></p>
<p class="MsoNormal"><b>Microsoft Teams</b></p>
<p class="MsoNormal"><a href="{escape(URL)}"><span>Join the meeting</span></a></p>
<p class="MsoNormal">{LINE}&nbsp;</p>"""
SKYPE = '<div id="divSkypeMeeting"><p><a href="https://meet.contoso.com/anna/ABC123">Join Skype</a></p></div>'
SAFE = "https://eur01.safelinks.protection.outlook.com/?url=" + URL.replace("%", "%25").replace("/", "%2F")
BLOCKS = {
    "new Teams": NEW_TEAMS,
    "old Teams": OLD_TEAMS,
    "rewritten by Word": WORD,
    "Skype": SKYPE,
    "rewritten by a gateway": NEW_TEAMS.replace(escape(URL), escape(SAFE)),
    "prefixed by Outlook": NEW_TEAMS.replace('class="', 'class="x_').replace('id="', 'id="x_'),
    "ours": block_for(URL),
}


def document(block: str, above: str = "<p>Agenda</p>", below: str = "") -> str:
    return f'<html>\r\n<head><meta charset="utf-8"></head>\r\n<body>\r\n{above}\r\n{block}\r\n{below}</body>\r\n</html>'


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS.keys())
@pytest.mark.parametrize("within", ["{}", '<div class="WordSection1">{}</div>'])
def test_the_block_is_cut_out_whole_and_nothing_else_is(block: str, within: str) -> None:
    url = URL if block != SKYPE else None
    cut = split(document(within.format(block), below=f"<p>Kind regards<br>{LINE}</p>"), url)
    assert cut == Cut(document(within.format(""), below=f"<p>Kind regards<br>{LINE}</p>"), block)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS.keys())
@pytest.mark.parametrize("new", ["<p>New</p>", document("", "<p>New</p>"), "", "New"])
def test_what_is_put_back_is_found_again(block: str, new: str) -> None:
    url = URL if block != SKYPE else None
    again = split(inserted(new, block), url)
    assert again.block == block
    assert canonical_html(again.rest) == canonical_html(new)


def test_a_link_to_another_meeting_is_somebodys_text() -> None:
    body = document(f'<p>as in <a href="{OTHER}">that one</a></p>')
    assert split(body, None) == Cut(body, "")
    both = split(document(NEW_TEAMS, f'<div><a href="{OTHER}">that one</a></div>'), URL)
    assert both.block == NEW_TEAMS
    forwarded = NEW_TEAMS.replace(escape(URL), OTHER)
    assert split(document(NEW_TEAMS, forwarded), URL) == Cut(document("", forwarded), NEW_TEAMS)


@pytest.mark.parametrize("body", ["", "<p>Agenda</p>", f"<p>{LINE}</p><p>Agenda</p><p>{LINE}</p>", f"<p>{URL}</p>"])
def test_a_body_without_a_block_is_left_alone(body: str) -> None:
    assert split(body, URL) == Cut(body, "")


def test_a_new_body_may_lead_to_the_meeting_by_itself() -> None:
    assert names(f'<a href="{escape(URL)}">x</a>', URL)
    assert names(f'<a href="{escape(SAFE)}">x</a>', URL)
    assert not names(f'<a href="{OTHER}">x</a>', URL)


def test_text_becomes_html_line_by_line() -> None:
    assert html_of("a < b\r\n\r\nc & d\n") == "a &lt; b<br>\n<br>\nc &amp; d"


_HTML = st.lists(
    st.sampled_from(
        ["<div>", "</div>", "<p>", "</p>", "<br>", "<a href='https://teams.microsoft.com/meet/1'>", "</a>",
         "<![if !x]>", "<div class=me-email-text>", LINE, "x", "\n", "<", "&nbsp;", "<!--", "-->", "</body>", "<span/>"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(_HTML)
def test_nothing_is_lost_by_cutting(body: str) -> None:
    cut = split(body, None)
    assert body in {cut.rest[:at] + cut.block + cut.rest[at:] for at in range(len(cut.rest) + 1)}


@given(_HTML)
def test_every_element_stands_within_the_one_around_it(body: str) -> None:
    for element in elements(body):
        assert body[element.start] == "<"
        assert 0 <= element.start < element.end <= len(body)
        around = element.parent
        assert around is not None
        assert around.start <= element.start
        assert element.end <= around.end


def test_an_element_says_its_text() -> None:
    (element, *_) = elements("<p>a <b>b</b>&amp;c</p>")
    assert text_within("<p>a <b>b</b>&amp;c</p>", element) == "a b&c"
