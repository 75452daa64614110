"""The style sheet of ``report.html``: light and dark by the reader's setting, light on paper; contrast of WCAG AA."""

# (light, dark) grounds of highlights, with the page's ink on them; the edges tell them apart in print too.
_GROUNDS = (
    ("#cfe3ff", "#17406e"),
    ("#ffe0b8", "#5f3a0c"),
    ("#cdeed5", "#16502a"),
    ("#ead7fb", "#4b2a6b"),
    ("#ffd5d8", "#6a2230"),
    ("#d2eef0", "#124c52"),
)
_EDGES = (
    ("#2b63a8", "#7fb0f0"),
    ("#9a5410", "#f0a860"),
    ("#2c7a3d", "#7fd08f"),
    ("#7a3fa6", "#c79af0"),
    ("#b3261e", "#ff8a80"),
    ("#12727a", "#6fd3da"),
)

STYLE = (
    """
:root{color-scheme:light dark;--ground:light-dark(#fff,#14171b);--paper:light-dark(#f6f7f9,#1d2127);
--ink:light-dark(#1c2127,#e8ebef);--faint:light-dark(#55606e,#a9b4c1);--line:light-dark(#d5dae1,#3c444f);
--accent:light-dark(#0b5f8e,#6cc0f5);font:15px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink)}a{color:var(--accent)}
main{max-inline-size:75rem;margin-inline:auto;padding:1rem 1.2rem 3rem}
h1{font-size:1.5rem}h2{font-size:1.25rem;margin-block:2rem .6rem;border-block-end:1px solid var(--line)}
h3{font-size:1.05rem;margin-block:1.6rem .5rem}p{overflow-wrap:anywhere}
code,pre{font-family:ui-monospace,"Noto Sans Mono",monospace;font-size:.85em}
pre{background:var(--paper);border:1px solid var(--line);padding:.7rem;white-space:pre-wrap;overflow-wrap:anywhere}
.scroll{position:relative;overflow-x:auto;max-inline-size:100%}:focus-visible{outline:3px solid var(--accent)}
table{border-collapse:collapse;margin-block:.4rem}
caption{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%)}
th,td{padding:.25rem .8rem .25rem 0;border-block-end:1px solid var(--line);text-align:start;vertical-align:top}
th{font-size:.85rem;color:var(--faint)}.number{text-align:end;font-variant-numeric:tabular-nums}
p:has(>.plot){display:inline-block;vertical-align:top;margin:0 1rem .8rem 0;max-inline-size:100%}
.plot{display:block}.plot svg{max-inline-size:100%;block-size:auto}
svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .title{font-weight:600;font-size:13px}
svg .axis{stroke:var(--faint);stroke-width:1}svg .bar{fill:light-dark(#3b6fb6,#7fb0f0)}
svg .bad{fill:light-dark(#b5731c,#e0b060)}svg .mark{fill:light-dark(#b3261e,#ff8a80)}
svg .line{stroke:light-dark(#b3261e,#ff8a80);stroke-width:1.5;stroke-dasharray:4 3}
.row{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:.5rem .9rem;margin-block:.7rem}
.row p{margin-block:.2rem}.facts,.lang,.field{color:var(--faint);font-size:.85rem}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:.3rem 1.5rem}
.side{min-inline-size:0}.text{white-space:pre-wrap;line-height:1.9;unicode-bidi:isolate}
.reasons,.notes{margin:.2rem 0;padding:0;list-style:none;display:flex;flex-wrap:wrap;gap:.2rem .6rem;font-size:.85rem}
.reasons li{border:1px solid var(--faint);border-radius:5px;padding:0 .4rem;overflow-wrap:anywhere}
mark{color:var(--ink);border-radius:3px;padding:.05em .15em;border-block-end:2px solid}
mark.lost{border-block-end-style:dashed}mark small{font-size:.72em;font-weight:600}
mark sup{font-size:.72em;font-weight:700;margin-inline-end:.15em}mark small,mark sup{unicode-bidi:isolate}
"""
    + "".join(
        f"mark.c{k}{{background:light-dark({ground[0]},{ground[1]});border-color:light-dark({edge[0]},{edge[1]})}}\n"
        for k, (ground, edge) in enumerate(zip(_GROUNDS, _EDGES, strict=True))
    )
    + """@media print{:root{color-scheme:light}main{padding:0;max-inline-size:none}.scroll{overflow:visible}
.row,.plot,tr{break-inside:avoid}h2,h3{break-after:avoid}*{print-color-adjust:exact}}
"""
)
