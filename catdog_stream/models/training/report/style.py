"""The style sheet of a report: light or dark by the reader's setting, for phones and desktops."""

__all__ = ["STYLE"]

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c1f23;--faint:#d5d9de;--soft:#5d6570;
--good:26,127,75;--bad:200,60,40}
@media(prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e6e8eb;--faint:#353b43;
--soft:#9aa3ad;--good:52,168,108;--bad:222,96,78}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem}
.tiles div{border:1px solid var(--faint);border-radius:.5rem;padding:.7rem}
.tiles b{display:block;font-size:1.5rem}.tiles span,small{color:var(--soft)}
.wide{overflow-x:auto}
table{border-collapse:collapse}th,td{padding:.3rem .7rem;border-bottom:1px solid var(--faint);
text-align:right}th:first-child,.plain td{text-align:left}.plain td{overflow-wrap:anywhere}
.confusion .right{background:rgba(var(--good),calc(var(--share)*.55))}
.confusion .wrong{background:rgba(var(--bad),calc(var(--share)*3))}
svg{display:block;width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}
.faint{stroke:var(--faint);fill:none}.dashed{stroke:var(--soft);stroke-dasharray:4 4}
.line{fill:none;stroke:currentColor;stroke-width:2}.dot{fill:currentColor}
.c0{color:#2f7bd9}.c1{color:#d9742f}.c2{color:#2f9e6e}.c3{color:#b04fc4}
.c4{color:#c9a227}.c5{color:#d14a68}.c6{color:#4fb0c6}.c7{color:#8a8f98}
.legend{list-style:none;margin:.5rem 0;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem}
.legend li::before{content:"";display:inline-block;width:.8em;height:.8em;margin-right:.4em;
border-radius:50%;background:currentColor}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:.8rem}
figure{margin:0}figure img{width:100%;height:auto;border-radius:.4rem;display:block}
figcaption{font-size:.85rem;overflow-wrap:anywhere}
details{margin:.8rem 0}li{overflow-wrap:anywhere}
"""
