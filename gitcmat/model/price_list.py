"""The list of prices, as text: a line for each model and day from which the price holds.

To add one, write down where it was read and from which day on it is known to hold; a price that
changes gets another line, as earlier runs keep theirs. What is not known is a question mark.
"""

from typing import Final

LIST: Final = """
# Sources. A day is the one that the source names: of a release, of a change, or of a look at it.
[anthropic]   https://platform.claude.com/docs/en/about-claude/pricing
[opus-5-5]    https://platform.claude.com/docs/zh-CN/models/opus-5-5/overview
[opus-5]      https://platform.claude.com/docs/about-claude/models/whats-new-opus-5
[sonnet-5-5]  https://platform.claude.com/docs/zh-CN/models/sonnet-5-5/overview
[sonnet-5]    https://platform.claude.com/docs/zh-CN/models/sonnet-5/overview
[claude-10]   https://github.com/kurofune/claudit/releases/tag/v1.9.2
[anthropic-2] https://platform.claude.com/docs/en/docs/about-claude/pricing
[gpt-6]       https://github.com/merefield/codexometer/releases/tag/v0.18.4
[gpt-6-astra] https://github.com/TheKrush/PromptFuel/releases/tag/v1.0.19
[gpt-6.1-sol] https://github.com/amine123max/Codex-Manager/releases/tag/0.4.7
[gpt-6.1]     https://apidog.com/de/blog/gpt-6-1-terra-pricing/
[gpt-5.6]     https://docs.laozhang.ai/en/announcements/gpt-5-6-pricing-2026-07.md
[luna]        https://developers.openai.com/api/docs/models/gpt-5.6-luna
[gpt-5.5]     https://www.morphllm.com/openai-api-pricing
[codex]       https://fernando-nog.netlify.app/gpt-coding-model-costs-2026/
[gemini]      https://ai.google.dev/gemini-api/docs/pricing
[gemini-3.8]  https://github.com/BerriAI/litellm/discussions/39357

# model                     since      source          in    out cached  write  prompts up to
claude-fable-5-1            2026-10-24 [anthropic]     10     50   0.25  12.5+  -
claude-fable-5              2026-10-24 [anthropic]     10     50      1  12.5+  -
claude-opus-5-5             2026-09-22 [opus-5-5]       4     20   0.20     5+  -
claude-opus-5               2026-07-24 [opus-5]         5     25   0.50  6.25+  -
claude-opus-4-8             2026-10-24 [anthropic]      5     25   0.50  6.25+  -
claude-opus-4-7             2026-10-24 [anthropic]      5     25   0.50  6.25+  -
claude-opus-4-6             2026-10-24 [anthropic]      5     25   0.50  6.25+  -
claude-opus-4-5             2026-10-24 [anthropic]      5     25   0.50  6.25+  -
claude-opus-4-5-20??????    2026-10-24 [anthropic]      5     25   0.50  6.25+  -
claude-sonnet-5-5           2026-09-29 [sonnet-5-5]     2     10   0.20  2.50+  -
claude-sonnet-5-5           2026-10-07 [claude-10]      2     10   0.10  2.50+  -
claude-sonnet-5             2026-06-30 [sonnet-5]       2     10   0.20  2.50+  -
claude-sonnet-4-6           2026-10-24 [anthropic-2]    3     15   0.30  3.75+  -
claude-sonnet-4-5           2026-10-24 [anthropic-2]    3     15   0.30  3.75+  -
claude-sonnet-4-5-20??????  2026-10-24 [anthropic-2]    3     15   0.30  3.75+  -
claude-haiku-5-5            2026-10-07 [claude-10]   0.10   0.50   0.01 0.125+  100_000
claude-haiku-4-5            2026-10-24 [anthropic-2]    1      5   0.10  1.25+  -
claude-haiku-4-5-20??????   2026-10-24 [anthropic-2]    1      5   0.10  1.25+  -
gpt-6.1-sol                 2026-09-30 [gpt-6.1-sol]    2     10   0.10      ?  272_000
gpt-6.1-terra               2026-10-26 [gpt-6.1]        1      5   0.05  1.25+  272_000
gpt-6-astra                 2026-09-03 [gpt-6-astra]   10     50      1      ?  272_000
gpt-6-sol                   2026-09-22 [gpt-6]          2     10   0.20  2.50   272_000
gpt-6-luna                  2026-09-22 [gpt-6]       0.10   0.50   0.01 0.125   272_000
gpt-5.6-sol                 2026-07-30 [gpt-5.6]        5     30   0.50      ?  272_000
gpt-5.6-terra               2026-07-30 [gpt-5.6]        2     12   0.20      ?  272_000
gpt-5.6-luna                2026-07-30 [luna]        0.20   1.20   0.02  0.25   272_000
gpt-5.5                     2026-06-30 [gpt-5.5]        5     30   0.50      ?  272_000
gpt-5.3-codex               2026-05-05 [codex]       1.75     14  0.175      ?  -
gpt-5.2-codex               2026-05-05 [codex]       1.75     14  0.175      ?  -
gpt-5.1-codex               2026-05-05 [codex]       1.25     10  0.125      ?  -
gpt-5.1-codex-max           2026-05-05 [codex]       1.25     10  0.125      ?  -
gemini-3.8-flash            2026-09-20 [gemini-3.8]  0.75   3.75  0.075      ?  -
gemini-3.8-flash            2027-01-01 [gemini]      1.50   7.50      ?      ?  -
gemini-3.5-flash            2026-09-20 [gemini]      1.50   9.00      ?      ?  -
gemini-3.1-pro-preview      2026-09-20 [gemini]      2.00  12.00      ?      ?  200_000
"""
"""Dollars for a million tokens. A plus behind the price of a write: to stay longer costs more."""
