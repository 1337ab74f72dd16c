"""The one style of all displays, for light and dark: everything but a few mid-tones is mixed from the color of the text.

``.ls.ls`` wins over the rules of notebooks for tables and lists. The text twin is hidden, and the rich form shown, by the
style itself: where it is dropped, the text stays.
"""

from __future__ import annotations

from typing import Final

PALETTE: Final = ("#3f8ac9", "#d9901a", "#3a9d6b", "#a56cc1", "#d5503f", "#6b8e9b")


def _mix(share: int, color: str = "currentColor", with_: str = "transparent") -> str:
    return f"color-mix(in srgb,{color} {share}%,{with_})"


_COLORS = "".join(f".ls .c{place}{{background:{color}}}" for place, color in enumerate(PALETTE))
_TEXT_COLORS = "".join(
    f".ls .{name}{{color:{_mix(62, color, 'currentColor')}}}"
    for name, color in (("good", PALETTE[2]), ("warn", PALETTE[1]), ("bad", PALETTE[4]))
)

CSS: Final = "".join(
    f"""
.ls-text{{display:none!important}}
.ls.ls{{display:block!important;font-size:13px;line-height:1.5;max-width:960px;overflow-x:auto;\
--line:{_mix(18)};--soft:{_mix(68)};--track:{_mix(12)}}}
.ls .head{{display:flex;flex-wrap:wrap;gap:0 .6em;align-items:baseline;margin:.3em 0 .5em}}
.ls .head b{{font-size:15px}}
.ls .soft,.ls .note{{color:var(--soft)}}
.ls .note{{font-size:12px;margin:.5em 0 0}}
.ls.ls table{{border:0;border-collapse:collapse;margin:0 0 .6em;font-size:13px;width:auto;table-layout:auto;color:inherit}}
.ls.ls caption{{text-align:left;font-weight:600;color:inherit;padding:.3em 0;caption-side:top}}
.ls.ls tr,.ls.ls tbody tr:nth-child(n){{background:none;border:0}}
.ls.ls tbody tr:hover{{background:{_mix(6)}}}
.ls.ls th,.ls.ls td{{padding:2px 14px 2px 0;text-align:left;vertical-align:baseline;border:0;max-width:22em;\
overflow-wrap:break-word;white-space:normal;unicode-bidi:isolate}}
.ls.ls thead th{{font-weight:600;color:var(--soft);border-bottom:1px solid var(--line);white-space:nowrap}}
.ls.ls tbody th{{font-weight:600;color:inherit;max-width:20em}}
.ls.ls .fields th{{font-weight:400;color:var(--soft)}}
.ls.ls .fields th[scope=rowgroup]{{font-weight:600;color:inherit;padding-top:.5em}}
.ls.ls .fields th{{max-width:24em}}.ls.ls .fields td{{max-width:44em}}
.ls.ls .n{{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}}
.ls.ls tfoot td{{color:var(--soft)}}
.ls .b,.ls .whole{{white-space:nowrap}}
.ls .bar{{display:inline-block;position:relative;height:9px;width:110px;background:var(--track);border-radius:3px;\
vertical-align:middle;overflow:hidden}}
.ls .bar i{{float:left;height:100%;background:{PALETTE[0]}}}
.ls .bar .high{{background:{PALETTE[1]}}}
.ls .bar .full{{background:{PALETTE[4]}}}
.ls .bar u{{position:absolute;top:0;bottom:0;width:2px;background:currentColor}}
.ls .bar+.soft{{display:inline-block;min-width:3em}}
.ls .wide{{display:flex;height:18px;border-radius:4px;overflow:hidden;background:var(--track);margin:.2em 0 .35em}}
.ls .wide i{{height:100%;box-shadow:inset -1px 0 {_mix(45, "#888")}}}
.ls .rest{{background:{_mix(42)}}}
.ls .key{{display:flex;flex-wrap:wrap;gap:.15em 1.2em;margin:0 0 .7em;font-size:12px;overflow-wrap:anywhere}}
.ls .key i{{display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:.4em}}
.ls .key i:not([class]){{background:var(--track);box-shadow:inset 0 0 0 1px var(--line)}}
.ls .dot{{font-size:11px}}
.ls .tag{{font-size:11px;padding:0 .45em;border:1px solid var(--line);border-radius:9px;color:var(--soft);white-space:nowrap}}
.ls b,.ls span{{unicode-bidi:isolate}}
.ls del{{color:var(--soft);text-decoration:line-through}}
.ls ins{{font-weight:600;text-decoration:none}}
.ls.ls ul.tree,.ls.ls .tree ul{{list-style:none;margin:0;padding:0 0 0 1.25em}}
.ls.ls ul.tree{{padding:0}}
.ls.ls .tree li{{margin:0;white-space:nowrap;list-style:none}}
.ls .tree ul>li{{position:relative;padding-left:.9em}}
.ls .tree ul>li::before{{content:"";position:absolute;left:-.35em;top:0;bottom:0;border-left:1.5px solid var(--line)}}
.ls .tree ul>li:last-child::before{{bottom:auto;height:.85em}}
.ls .tree ul>li::after{{content:"";position:absolute;left:-.35em;top:.8em;width:1em;border-top:1.5px solid var(--line)}}
.ls svg{{display:block;margin:.2em 0}}
.ls svg text{{fill:currentColor;font:12px system-ui,sans-serif}}
.ls svg .s{{fill-opacity:.7;font-size:11px}}
{_COLORS}{_TEXT_COLORS}""".split("\n")
)

STYLE: Final = f"<style>{CSS}</style>"
