"""The style sheet of a page of clips: the report's colours and type, and a grid of small screens."""

from seehear.reports.style import GROUND

STYLE = (
    GROUND
    + """
.row{margin-top:1.4rem;min-width:0}
@media screen and (min-width:821px){.pairs{display:grid;grid-template-columns:1fr 1fr;column-gap:2.2rem}
.pairs .row{display:grid;grid-template-rows:auto 3.4em 1fr}.pairs .clips{grid-template-columns:1fr 1fr}}
.row .quiet{max-width:46rem}
.clips{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(15rem,46%),1fr));gap:1.1rem;margin-top:.8rem}
.clips>li{display:flex;flex-direction:column;background:var(--card);border:1px solid var(--line);border-radius:14px;
box-shadow:var(--shade);overflow:hidden;min-width:0}
.screen{position:relative;aspect-ratio:1;background:#000}
.screen video{display:block;width:100%;height:100%;object-fit:cover}
.start{position:absolute;inset:0;width:100%}
.start[hidden]{display:none}
.start:focus-visible{outline-offset:-4px;border-radius:13px;outline-color:#fff;box-shadow:inset 0 0 0 8px var(--accent)}
.start::before{content:"";position:absolute;left:.6rem;bottom:.6rem;width:2.4rem;height:2.4rem;border-radius:99px;
background:#000a}
.start::after{content:"";position:absolute;left:1.5rem;bottom:1.2rem;border:.6rem solid transparent;
border-left:.95rem solid #fff;border-right:0}
.start:hover::before{background:var(--accent)}
.on .start::before,.on .start::after{opacity:0}
.on::after{content:"";position:absolute;left:0;bottom:0;height:4px;width:calc(var(--p,0)*100%);background:var(--sound)}
.clips .words{padding:.7rem .85rem .6rem;display:grid;gap:.25rem;align-content:start}
.clips h4{margin:0;font-size:.98rem;font-weight:650;overflow-wrap:anywhere}
.clips .small{font-size:.83rem;line-height:1.4;color:var(--soft)}
.clips summary{font-size:.8rem;padding:.2rem 0}
.facts-of{display:grid;gap:.3rem;font-size:.78rem;line-height:1.4;color:var(--soft);overflow-wrap:anywhere;
padding-bottom:.4rem}
@media screen and (max-width:820px){
main,footer,.top nav{padding-left:1rem;padding-right:1rem}
.top nav{gap:.8rem}
.opening{padding-top:2rem}
.clips{gap:.8rem}
.clips .words{padding:.6rem .65rem .5rem}
}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media print{.top,.skip,.start{display:none!important}}
"""
)
