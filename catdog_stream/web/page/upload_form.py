"""Form with which a visitor sends pictures to the stream; the answers appear beside them.

The browser's script fills and shows it; without a script it stays hidden. The HTML forms send
nothing by themselves.
"""

from dataclasses import dataclass

from catdog_stream.errors import REPLAY_ADVICE

__all__ = ["Offers", "trying"]


@dataclass(frozen=True, slots=True)
class Offers:
    """Actions that a visitor of the page may perform."""

    #: ``True``: pictures may be sent.
    send: bool = True
    #: ``True``: pictures may be fetched by address.
    fetch: bool = False
    #: ``True``: HEIC is converted here, because few browsers can.
    heic: bool = False
    #: Maximum bytes of one picture.
    max_image_bytes: int = 4_000_000


_RETRIED = " ".join(reason for reason, advice in REPLAY_ADVICE.items() if advice.can_help)

_TRYING = """<section id="try" class="card wide" aria-labelledby="try-title" data-heic="{heic}"
 data-max-bytes="{max_bytes}" data-retried="{retried}" hidden>
<h2 id="try-title">Try it</h2>
<div id="drop">
<p><b>Drop pictures here</b>, paste them, or choose files.
 They are classified on the live stream.</p>
<p class="choices"><label class="button">Choose pictures<input id="try-files" class="unseen"
 type="file" accept="image/*,.heic,.heif" multiple></label>
<label id="try-camera" class="button" hidden>Take a photo<input class="unseen" type="file"
 accept="image/*" capture="environment"></label></p>
</div>
{fetch}<form id="try-token" class="line" hidden>
<label for="token">Sending needs a token</label>
<input id="token" type="password" autocomplete="off" required>
<button class="button">Use it</button></form>
<p id="try-note" class="notice" role="status" hidden></p>
<div id="try-results" hidden>
<p class="line"><span id="try-line"></span>
<button id="try-again" type="button" hidden></button></p>
<div class="reach" tabindex="0" role="region" aria-label="Pictures that you sent">
<ol id="tries" class="shots"></ol></div></div>
<p id="try-said" class="unseen" role="status"></p>
</section>"""

_FETCH = """<form id="try-address" class="line">
<label for="address">Address of a picture</label>
<input id="address" type="text" inputmode="url" placeholder="https://" autocomplete="off"
 spellcheck="false" maxlength="2000" required>
<button class="button">Classify</button></form>
"""


def trying(offers: Offers) -> str:
    """Return the section; empty if nothing may be sent."""
    if not offers.send:
        return ""
    return _TRYING.format(
        fetch=_FETCH if offers.fetch else "",
        heic="yes" if offers.heic else "no",
        max_bytes=offers.max_image_bytes,
        retried=_RETRIED,
    )
