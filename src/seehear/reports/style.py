"""The page's style sheet: light and dark, desk and phone, screen and paper. System fonts only."""

from seehear.reports.palette import DARK, DARK_SURFACE, LIGHT, LIGHT_SURFACE, variables

LIGHT_THEME = (
    f"--card:{LIGHT_SURFACE};"
    "--paper:#f7f6f3;--sunken:#efede8;--ink:#1b1d22;--soft:#5b5e66;--line:#e0ddd6;--strong:#c3bfb6;"
    "--sound:#a84c05;--sound-wash:#fbeede;--picture:#1f5bb0;--picture-wash:#e6eefa;--accent:#1f5bb0;"
    "--good:#16703f;--near:#0b6a78;--bad:#a3382e;--none:#8b8d94;--shade:0 1px 2px #1b1d2214,0 6px 24px #1b1d220d;"
    + variables(LIGHT)
)
DARK_THEME = (
    f"--card:{DARK_SURFACE};"
    "--paper:#111215;--sunken:#23262b;--ink:#ecebe7;--soft:#a7a9b0;--line:#2c2f36;--strong:#484c55;"
    "--sound:#f3a74f;--sound-wash:#33261a;--picture:#84b3ff;--picture-wash:#1b2638;--accent:#84b3ff;"
    "--good:#62d496;--near:#5cc9d8;--bad:#ff9085;--none:#7c7f87;--shade:0 1px 2px #0006;" + variables(DARK)
)

_BASE = """
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:4.2rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
h1,h2,h3,p,ul,ol,dl,dd,figure{margin:0;padding:0}
ul,ol{list-style:none}
h1{font-size:clamp(1.9rem,1.3rem + 2.6vw,3rem);line-height:1.12;letter-spacing:-.025em;font-weight:750;
text-wrap:balance}
h2{font-size:1.55rem;line-height:1.25;letter-spacing:-.015em;font-weight:700}
h3{font-size:1.05rem;line-height:1.35;font-weight:650}
a{color:var(--accent)}
img,svg{display:block;max-width:100%}
button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;touch-action:manipulation}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
summary{cursor:pointer;width:fit-content;color:var(--soft);font-size:.9rem;padding:.35rem 0}
summary:hover{color:var(--ink)}
small{font-size:.8rem;color:var(--soft);font-weight:400}
pre,code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.skip{position:absolute;left:-99rem;top:0;z-index:9;background:var(--card);padding:.6rem 1rem}
.skip:focus{left:.5rem;top:.5rem}
.top{position:sticky;top:0;z-index:5;background:color-mix(in srgb,var(--paper) 88%,transparent);
backdrop-filter:blur(10px);border-bottom:1px solid var(--line)}
.top nav{max-width:1180px;margin:auto;padding:0 1.5rem;display:flex;align-items:center;gap:1.5rem}
.brand{display:flex;align-items:center;gap:.5rem;font-weight:750;letter-spacing:-.01em;color:var(--ink);
text-decoration:none;padding:.75rem 0}
.brand svg{width:1.7rem;flex:none}
.top ul{display:flex;gap:.2rem;overflow-x:auto;scrollbar-width:none}
.top ul::-webkit-scrollbar{display:none}
.top li a{display:block;padding:.45rem .65rem;border-radius:99px;color:var(--soft);font-size:.85rem;
text-decoration:none;white-space:nowrap}
.top li a:hover,.top li a[aria-current]{color:var(--ink);background:var(--sunken)}
.top a:focus-visible{outline-offset:-3px}
main,footer{max-width:1180px;margin:auto;padding:0 1.5rem}
.opening{padding:3.4rem 0 1rem}
.subtitle{color:var(--soft);font-size:1.15rem;margin-top:.6rem}
.summary{max-width:46rem;margin-top:1.3rem;display:grid;gap:.7rem;font-size:1.05rem}
section{padding:2.2rem 0 1.4rem;border-top:1px solid var(--line);margin-top:1.8rem}
.lead{max-width:46rem;color:var(--soft);margin-top:.35rem}
.note{max-width:46rem;margin-top:.9rem;padding:.7rem 1rem;border-left:3px solid var(--sound);background:var(--card);
border-radius:0 8px 8px 0}
.quiet{color:var(--soft);font-size:.92rem}
.keys{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;color:var(--soft);font-size:.82rem}
.keys li{display:flex;align-items:center;gap:.4rem}
.scroll{overflow-x:auto}
footer{color:var(--soft);font-size:.85rem;padding-top:2.5rem;padding-bottom:3rem}
"""

_CARDS = """
.cards{display:flex;flex-wrap:wrap;gap:1rem;margin-top:2rem}
.cards li{flex:1 1 15rem;max-width:24rem;background:var(--card);
border:1px solid var(--line);border-radius:14px;padding:1.1rem 1.2rem;
box-shadow:var(--shade);display:flex;flex-direction:column}
.cards h3{font-size:.9rem;font-weight:600}
.cards .task{display:block;color:var(--soft);font-weight:400}
.cards .large{color:var(--soft);font-size:.95rem;margin:auto 0 .35rem;padding-top:.5rem}
.cards strong{font-size:2.5rem;line-height:1.1;letter-spacing:-.03em;color:var(--ink);font-weight:750;
margin-right:.15rem}
.cards .small{font-size:.82rem;color:var(--soft);margin-top:.4rem}
.cards .small b{color:var(--ink)}
.meter{position:relative;height:22px;min-width:7rem;
background:linear-gradient(var(--sunken),var(--sunken)) 0 50%/100% 8px no-repeat}
.meter .fill{position:absolute;top:7px;height:8px;background:var(--accent)}
.meter .unsure{position:absolute;top:7px;height:8px;background:color-mix(in srgb,var(--accent) 45%,var(--card))}
.meter .fill.worse,.meter .dot.worse{background:var(--bad)}
.meter .dot{position:absolute;top:5px;width:12px;height:12px;margin-left:-6px;border-radius:50%;
background:var(--accent);border:2px solid var(--card)}
.meter .tick,.mark{position:absolute;top:3px;height:16px;width:2px;margin-left:-1px;background:var(--soft)}
.meter .chance,.mark.chance{background:none;width:0;border-left:2px dotted var(--ink)}
.meter .untrained,.mark.untrained{top:7px;width:8px;height:8px;margin-left:-4px;background:var(--card);
border:1.5px solid var(--ink);transform:rotate(45deg)}
.meter .baseline,.mark.baseline{background:var(--sound)}
.meter .ceiling,.mark.ceiling{background:var(--ink)}
.mark,.mark.untrained{position:static;margin:0;flex:none}
.mark.fill{width:18px;height:8px;background:var(--accent)}
.scores{width:100%;border-collapse:collapse;margin-top:.6rem;font-size:.92rem}
.scores th,.scores td{padding:.5rem .7rem;text-align:right;vertical-align:middle;border-bottom:1px solid var(--line)}
.scores th:first-child{text-align:left;padding-left:0;font-weight:500;min-width:14.5rem}
.scores th small{display:block}
.scores thead th{font-size:.78rem;font-weight:600;color:var(--soft);vertical-align:bottom;white-space:nowrap}
.scores thead th:nth-child(4){text-align:left}
.scores th button{white-space:nowrap}
.scores th button::after{content:"↕";opacity:.45;margin-left:.25rem}
.scores th[aria-sort=ascending] button::after{content:"↑";opacity:1}
.scores th[aria-sort=descending] button::after{content:"↓";opacity:1}
.scores th button:hover,.scores th[aria-sort] button{color:var(--ink)}
.scores .task th{padding-top:1.4rem;font-weight:700;font-size:1rem;border-bottom:1px solid var(--strong)}
.scores .value{font-weight:700;white-space:nowrap}
.scores .value small{display:block}
.scores .task small{margin-top:.1rem;font-weight:400;max-width:60rem}
.mark.unsure{width:18px;height:8px;background:color-mix(in srgb,var(--accent) 45%,var(--card))}
.scores .times{white-space:nowrap}
.scores td{white-space:nowrap}
.scores .bar{width:22%;text-align:left}
.scores .words{white-space:normal;font-size:.82rem;color:var(--soft);min-width:8rem}
.scores .none{color:var(--none)}
.meter-keys{margin-top:1.1rem}
.glossary{margin-top:.9rem}
.terms{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:.8rem 2rem;padding:.6rem 0}
.terms dt{font-weight:650;font-size:.9rem}
.terms dd{color:var(--soft);font-size:.9rem}
"""

_GALLERY = """
.direction{margin-top:1.6rem}
.ask-sound{--asked:var(--sound);--wash:var(--sound-wash)}
.ask-picture{--asked:var(--picture);--wash:var(--picture-wash)}
.query{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,5fr);gap:2rem;margin-top:1rem;padding:1.1rem;
background:var(--card);border:1px solid var(--line);border-radius:16px;box-shadow:var(--shade)}
.ask{position:relative}
.ask::after{content:"";position:absolute;right:-1.3rem;top:calc(50% - 2.3rem);width:.55rem;height:.55rem;
border:solid var(--strong);border-width:2.5px 2.5px 0 0;transform:rotate(45deg)}
.ask .tile{outline:2.5px solid var(--asked);outline-offset:2.5px}
.ask .words{margin-top:.65rem;display:grid}
.tag{color:var(--asked);font-size:.72rem;font-weight:700;text-transform:uppercase;letter-spacing:.07em}
.rank-of{color:var(--soft);font-size:.8rem}
.hits{display:grid;grid-template-columns:repeat(5,minmax(0,1fr));gap:1rem}
.hit{min-width:0}
.frame{position:relative}
.tile{position:relative;aspect-ratio:1;border-radius:11px;overflow:hidden;background:var(--sunken)}
.tile>img{width:100%;height:100%;object-fit:cover}
.tile .nothing{display:grid;place-items:center;height:100%;color:var(--soft);font-size:.8rem;text-align:center}
.tile.sound{background:var(--sound-wash)}
.tile.sound>img.inset{position:absolute;left:6px;top:6px;width:36%;height:36%;border-radius:7px;
box-shadow:0 0 0 2px var(--card);pointer-events:none}
.wave{position:absolute;left:7%;bottom:12%;width:86%;height:46%}
.wave path{stroke:var(--sound);stroke-width:1.25;stroke-linecap:round;fill:none}
.play{position:absolute;left:6px;bottom:6px;width:38px;height:38px;border-radius:50%;background:#0b0c0ecc;color:#fff;
display:grid;place-items:center}
.play:hover{background:#0b0c0e}
.play .icon{width:18px;fill:currentColor}
.play.whole{inset:0;width:100%;height:100%;border-radius:11px;background:none;color:var(--sound);display:block}
.play.whole .icon{position:absolute;right:8px;top:8px;width:28px;height:28px;padding:6px;border-radius:50%;
background:var(--sound);fill:var(--card)}
.play.whole::before{content:"";position:absolute;left:0;top:0;bottom:0;width:calc(var(--p,0)*100%);
background:color-mix(in srgb,var(--sound) 22%,transparent)}
.play.whole:hover{background:color-mix(in srgb,var(--sound) 9%,transparent)}
.play:focus-visible{outline-offset:-4px;border-radius:11px}
.play:not(.whole):focus-visible{border-radius:50%;outline-offset:1px;outline-color:#fff}
.play:not(.whole)[aria-pressed=true]{background:conic-gradient(var(--sound) calc(var(--p,0)*1turn),#0b0c0ecc 0)}
.play .halt,.play[aria-pressed=true] .go{display:none}
.play[aria-pressed=true] .halt{display:inline}
.play[aria-disabled=true]{opacity:.45}
.frame .badge{position:absolute;right:-5px;top:-5px;width:24px;height:24px;border-radius:50%;display:grid;
place-items:center;font-size:.85rem;font-weight:700;line-height:1;color:var(--card);background:var(--mark);
box-shadow:0 0 0 2.5px var(--card);pointer-events:none}
.frame:has(.sound) .badge{right:auto;left:-5px}
.frame:has(.inset) .badge{right:-5px;left:auto}
.frame:has(.inset) .play.whole .icon{top:auto;bottom:8px}
.right{--mark:var(--good)}.same-class{--mark:var(--near)}.wrong{--mark:var(--bad)}.unknown{--mark:var(--strong)}
.right .tile,.same-class .tile{box-shadow:0 0 0 2.5px var(--mark)}
.wrong .tile>img,.wrong .wave{opacity:.82}
.line{display:flex;gap:.4rem;align-items:baseline;margin-top:.5rem;font-size:.9rem;line-height:1.3}
.place{color:var(--soft);font-size:.8rem}
.label{font-weight:600;min-width:0;overflow-wrap:anywhere;display:-webkit-box;-webkit-line-clamp:2;
-webkit-box-orient:vertical;overflow:hidden}
.verdict{display:block;font-size:.78rem;color:var(--mark);line-height:1.3}
.more{margin-top:.6rem}
.examples{display:grid;grid-template-columns:repeat(auto-fill,minmax(7.6rem,1fr));gap:1rem;margin-top:1.2rem}
.examples .label{margin-top:.4rem;font-size:.85rem;font-weight:500}
"""

_DRAWN = """
figure.map{margin-top:1.2rem;display:grid;grid-template-columns:minmax(0,1fr) 15rem;gap:1.5rem;align-items:start}
.canvas{position:relative;background:var(--card);border:1px solid var(--line);border-radius:16px;
box-shadow:var(--shade)}
.canvas svg{width:100%}
.marks circle,.marks path{fill-opacity:.86}
.marks circle,.marks path,.swatch circle,.swatch path{stroke:var(--card);stroke-width:.7;fill:var(--tint);
transition:opacity .15s}
.swatch circle,.swatch path{stroke-width:0}
.marks .holed *,.swatch .holed *{fill:var(--card);stroke:var(--tint);stroke-width:1.7}
.c0{--tint:var(--c0)}.c1{--tint:var(--c1)}.c2{--tint:var(--c2)}.c3{--tint:var(--c3)}.c4{--tint:var(--c4)}
.c5{--tint:var(--c5)}.c6{--tint:var(--c6)}.c7{--tint:var(--c7)}.c8{--tint:var(--c8)}.c9{--tint:var(--c9)}
.c-none{--tint:var(--none)}.m-sound{--tint:var(--sound)}.m-picture{--tint:var(--picture)}
.names text{font-size:11.5px;font-weight:700;fill:var(--ink);paint-order:stroke;stroke:var(--card);stroke-width:4px;
stroke-linejoin:round;pointer-events:none}
.mid{text-anchor:middle}.end{text-anchor:end}
.map.filtered [data-class]:not(.on):not(button){opacity:.12}
.marks .near{stroke:var(--ink);stroke-width:2}
.pair{stroke:var(--ink);stroke-width:1.4;stroke-dasharray:3 3;visibility:hidden}
.tip{position:absolute;z-index:2;pointer-events:none;background:var(--ink);color:var(--paper);font-size:.82rem;
line-height:1.35;padding:.35rem .6rem;border-radius:8px;max-width:15rem}
.tip small{display:block;color:inherit;opacity:.75}
.legend{font-size:.9rem}
.senses{display:grid;gap:.3rem;padding-bottom:.7rem;margin-bottom:.7rem;border-bottom:1px solid var(--line)}
.senses li,.classes button,.classes .other{display:flex;align-items:center;gap:.45rem}
.senses .swatch g,.senses .m-sound,.senses .m-picture{--tint:var(--soft)}
.map:not(:has(.classes)) .m-sound{--tint:var(--sound)}.map:not(:has(.classes)) .m-picture{--tint:var(--picture)}
.swatch{width:14px;flex:none}
.classes button{width:100%;padding:.22rem .5rem;margin-left:-.5rem;border-radius:8px;text-align:left}
.classes button small{margin-left:auto}
.classes button:hover,.classes button[aria-pressed=true]{background:var(--sunken)}
.classes button[aria-pressed=true]{font-weight:650}
.hint{margin-top:.6rem;font-size:.82rem}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:1rem;margin-top:1.2rem}
.chart{display:flex;flex-direction:column;background:var(--card);border:1px solid var(--line);border-radius:14px;
padding:.95rem 1rem .5rem;
box-shadow:var(--shade)}
.chart figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.1rem .8rem;font-size:.92rem;
margin-bottom:.4rem}
.chart figcaption .keys{width:100%}
.readout{color:var(--soft);font-size:.85rem}
.chart svg{width:100%;height:auto;overflow:visible}
.chart text{font-size:11px;fill:var(--soft)}
.grid path{stroke:var(--line);stroke-width:1}.grid .base{stroke:var(--strong)}
.l0{--tint:var(--picture)}.l1{--tint:var(--sound)}.l2{--tint:var(--good)}.l3{--tint:var(--c3)}
.line .stroke{fill:none;stroke:var(--tint);stroke-width:2;stroke-linejoin:round}
.line .band{fill:var(--tint);opacity:.18}
.line circle{fill:var(--tint)}
.l1 .stroke{stroke-dasharray:6 2.5}.l2 .stroke{stroke-dasharray:2 2.5}.l3 .stroke{stroke-dasharray:9 3 2 3}
.key{width:18px;height:0;border-top:3px solid var(--tint)}
.key.l1{border-top-style:dashed}.key.l2{border-top-style:dotted}
.floor path{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:2 4;fill:none}
.cursor{stroke:var(--ink);stroke-width:1;visibility:hidden}
.numbers{margin-top:auto}
.numbers summary{font-size:.8rem}
.plain{border-collapse:collapse;font-size:.85rem;width:100%}
.plain th,.plain td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);font-weight:400;
vertical-align:top}
.plain thead th{color:var(--soft);font-size:.78rem;font-weight:600}
.files th{overflow-wrap:anywhere;min-width:10rem}
.drawings{display:grid;gap:1.3rem 2rem;margin-top:.9rem}
.drawings.pictures{grid-template-columns:repeat(auto-fill,minmax(min(25rem,100%),1fr))}
.drawing figcaption{font-size:.9rem;font-weight:600;margin-bottom:.35rem}
.panel-row{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:.6rem}
.panel-row:not(:has(.masked)){grid-template-columns:repeat(2,minmax(0,1fr))}
.panel img{width:100%;height:auto;border-radius:8px;background:var(--sunken)}
.panel.masked img{background:repeating-linear-gradient(45deg,var(--sunken) 0 5px,var(--line) 5px 6px)}
.sounds .panel img{aspect-ratio:2.4;object-fit:fill}
.panel span{display:block;margin-top:.3rem;font-size:.8rem;line-height:1.3;color:var(--soft)}
.reconstructions h3,#reconstructions h3{margin-top:1.4rem}
"""

_RECORD = """
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(13rem,100%),1fr));gap:.9rem 1.6rem;
margin:1.1rem 0}
.facts dt{color:var(--soft);font-size:.8rem}
.facts dd{font-weight:600;overflow-wrap:anywhere}
.configuration{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:.5rem 1.1rem;
margin-top:1.2rem;font-size:.88rem}
.configuration>summary{color:var(--ink);font-weight:600}
.configuration dl{padding:.2rem 0 .6rem}
.configuration dl div{display:grid;grid-template-columns:minmax(7rem,16rem) 1fr;gap:1rem;padding:.15rem 0}
.configuration dt{color:var(--soft)}
.configuration dd{overflow-wrap:anywhere}
.configuration details{padding-left:1rem;border-left:2px solid var(--line);margin:.2rem 0}
.reasons{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0 .4rem;font-size:.9rem}
.reasons li{background:var(--card);border:1px solid var(--line);border-radius:99px;padding:.2rem .8rem}
.steps{display:grid;gap:1rem;margin-top:1rem}
.steps pre{margin:.35rem 0 0;padding:.7rem .9rem;background:var(--sunken);border-radius:10px;overflow-x:auto;
font-size:.88rem}
"""

_PHONE = """
@media screen and (max-width:1020px){
figure.map{grid-template-columns:minmax(0,1fr);gap:1rem}
.senses{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem}
.classes{display:flex;flex-wrap:wrap;gap:.3rem}
.classes button{margin:0;padding:.35rem .6rem;background:var(--card);border:1px solid var(--line)}
.classes button small{margin-left:.2rem}
.scores .words{min-width:6rem}.scores th,.scores td{padding-left:.45rem;padding-right:.45rem}
}
@media screen and (max-width:820px){
main,footer,.top nav{padding-left:1rem;padding-right:1rem}
.top nav{gap:.8rem}
.opening{padding-top:2rem}
.query{grid-template-columns:minmax(0,1fr);gap:1rem;padding:.9rem}
.ask{display:grid;grid-template-columns:7.2rem 1fr;gap:1rem;align-items:center}
.ask::after{display:none}
.ask .words{margin:0}
.scores,.scores tbody,.scores tr,.scores th,.scores td{display:block}
.scores thead{display:none}
.scores tr:not(.task){display:flex;flex-wrap:wrap;align-items:baseline;gap:.15rem .9rem;padding:.75rem 0;
border-bottom:1px solid var(--line)}
.scores th,.scores td{border:0!important;padding:0!important;text-align:left;min-width:0!important}
.scores .task th{padding-top:1.4rem!important}
.scores tr:not(.task) th{flex:1 1 55%}
.scores .bar{flex:1 1 100%;width:auto;order:1;margin:.2rem 0}
.scores td:not(.bar){order:2;font-size:.82rem}
.scores td:not(.bar)::before{content:attr(data-label) " ";color:var(--soft)}
.scores .value,.scores .times{order:0!important;font-size:1.05rem!important}
.scores .value small{display:inline;margin-left:.4rem}
.scores .value::before,.scores .times::before{content:none!important}
.scores .times{color:var(--soft)}
.scores td.none{display:none!important}
.scores .words{white-space:normal;flex-basis:100%;order:3!important}
}
@media screen and (max-width:560px){
.cards{display:grid;grid-template-columns:1fr 1fr;gap:.7rem}
.cards li{padding:.8rem .85rem}
.cards strong{font-size:1.9rem}
.cards .small{font-size:.78rem;line-height:1.4}
.hits{grid-template-columns:repeat(3,minmax(0,1fr));gap:.9rem .7rem}
.names text{font-size:19px;stroke-width:6px}
.names.crowded{display:none}
.marks circle{r:5.5px}
.panel-row{gap:.4rem}
.sounds .panel-row{grid-template-columns:minmax(0,1fr)!important}
.sounds .panel img{aspect-ratio:3.4}
.files,.files tbody,.files tr,.files th,.files td{display:block}
.files thead{display:none}
.files tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
.files th,.files td{border:0;padding:0}
.files th{font-weight:600}
.configuration dl div{grid-template-columns:1fr 1fr}
.examples{grid-template-columns:repeat(3,minmax(0,1fr));gap:.7rem}
.facts{grid-template-columns:1fr 1fr}
}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}*{transition:none!important}}
"""

_PRINT = """
@page{margin:14mm}
@media print{
html{font-size:10px}
body{font-size:1rem;background:#fff}
.top,.skip,.hint,summary:not(.configuration summary),
.scores button::after,.play:not(.whole),.play .icon,noscript{display:none!important}
main,footer{max-width:none;padding:0}
.opening{padding-top:0}
.query,.chart,.cards li,.canvas{box-shadow:none}
.query,.chart,.cards li,.drawing,figure.map,.scores tr,.examples li{break-inside:avoid}
section{padding:1.2rem 0;margin-top:1rem}
h2,h3,.lead,.direction>.quiet,.meter-keys,.scores .task{break-after:avoid}
p{orphans:3;widows:3}
#map,#curves,#examples,#run{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""

GROUND = (  # what every page has: colours, type, navigation, sections
    f":root{{{LIGHT_THEME}color-scheme:light dark}}\n"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{DARK_THEME}}}}}" + _BASE
)
STYLE = GROUND + _CARDS + _GALLERY + _DRAWN + _RECORD + _PHONE + _PRINT
