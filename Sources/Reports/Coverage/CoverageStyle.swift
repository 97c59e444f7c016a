/// The page's style sheet. Each state has a colour and, where it matters, a pattern, so that nobody has to tell red from
/// green; text keeps a contrast of at least 4.5 to 1 in both schemes.
let coverageStyle: StaticString = """
    :root {
      --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --band: #f6f8fa; --link: #0550ae;
      --succeeded: #2d9d78; --running: #5aa9e6; --partial: #e0a526; --planned: #dbe7f5; --planned-edge: #4f7cac;
      --gap: #ffffff; --gap-edge: #c2410c; --held: #8250df; --failed: #cf222e; --alarm: #b3261e;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #0d1117; --ink: #e6edf3; --soft: #9da7b3; --line: #30363d; --band: #161b22; --link: #79b8ff;
        --succeeded: #2b8a6b; --running: #3d84c6; --partial: #d29922; --planned: #1c2f47; --planned-edge: #6ea8e0;
        --gap: #0d1117; --gap-edge: #f59e5b; --held: #a371f7; --failed: #f85149; --alarm: #ff8b84;
      }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
    main { max-width: 90rem; margin: 0 auto; padding: 1.5rem; }
    h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; }
    h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
    .lead { margin: .25rem 0 1rem; color: var(--soft); }
    a { color: var(--link); }
    a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
    .skip { position: absolute; left: -100rem; }
    .skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; z-index: 3; }
    .patterns { position: absolute; }
    .legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; padding: 0; margin: 0 0 1rem; list-style: none; }
    .legend svg { vertical-align: -2px; margin-right: .4rem; }
    .legend .none { color: var(--soft); }
    .succeeded { fill: var(--succeeded); }
    .running { fill: var(--running); }
    .partial { fill: url(#dots); }
    .planned { fill: var(--planned); stroke: var(--planned-edge); vector-effect: non-scaling-stroke; }
    .gap { fill: url(#hatch); stroke: var(--gap-edge); vector-effect: non-scaling-stroke; }
    .held { fill: var(--held); }
    .failed { fill: var(--failed); }
    .hatch rect { fill: var(--gap); stroke: none; }
    .hatch path { stroke: var(--gap-edge); stroke-width: 1.5; fill: none; }
    .dots rect { fill: var(--partial); stroke: none; }
    .dots path { stroke: var(--ink); stroke-width: 1.5; fill: none; }
    .attention { margin: 0 0 1rem; padding: .5rem 1rem; border: 1px solid var(--line); border-left: 4px solid var(--alarm);
      border-radius: 6px; overflow-x: auto; }
    .attention summary { cursor: pointer; }
    .tag { color: var(--ink); white-space: nowrap; }
    .tag.failed, .tag.held, .tag.gap { color: var(--alarm); }
    .picture { border: 1px solid var(--line); border-radius: 6px; }
    .axis, .lane { display: grid; grid-template-columns: minmax(7rem, 16rem) 1fr; column-gap: .75rem; align-items: center;
      padding: 0 .75rem; }
    .axis { position: sticky; top: 0; z-index: 2; background: var(--band); border-bottom: 1px solid var(--line);
      border-radius: 6px 6px 0 0; }
    .ticks { position: relative; height: 1.8rem; overflow: hidden; }
    .ticks span { position: absolute; top: .35rem; padding-left: .25rem; border-left: 1px solid var(--line);
      font-size: .75rem; color: var(--soft); white-space: nowrap; font-variant-numeric: tabular-nums; }
    .lane:nth-child(odd) { background: var(--band); }
    .lane .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .85rem; color: var(--ink);
      text-decoration: none; }
    .lane .name:hover { text-decoration: underline; }
    .lane svg { display: block; width: 100%; height: 22px; }
    .grid { stroke: var(--line); fill: none; vector-effect: non-scaling-stroke; }
    .now { stroke: var(--ink); stroke-dasharray: 2 2; fill: none; vector-effect: non-scaling-stroke; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: .85rem; }
    th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap;
      font-variant-numeric: tabular-nums; }
    thead th { color: var(--soft); font-weight: 600; }
    tbody th { font-weight: 600; }
    tbody th small { display: block; font-weight: 400; color: var(--soft); }
    tr:target { outline: 2px solid var(--link); outline-offset: -2px; }
    .number { text-align: right; }
    .alarm { color: var(--alarm); font-weight: 600; }
    @media print { .axis { position: static; } .attention { break-inside: avoid; } }

    """
