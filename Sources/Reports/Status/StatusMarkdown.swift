import FlowRuns

extension StatusReport {
    /// The status as a table, followed by the problems.
    var markdown: MarkdownText {
        let figures = shownFigures
        let titles = ["Flow"] + figures.map(\.title) + ["last window ends (UTC)", "behind"]
        var text = BoundedMarkdown(limit: BoundedMarkdown.maxBytes - 400)
        text.add("### Status of \(code: target.prefix(200)) as of \(asOf)\n\n\(summary) \(refreshText)\n\n")
        let rows = flows.lazy.map { flow in
            let title: MarkdownText = flow.isVerified ? "\(code: flow.title)" : "\(code: flow.title) _not verified_"
            let numbers: [MarkdownText] = figures.map { figure in
                flow.counts[figure] == 0 ? "" : "\(grouped(flow.counts[figure]))"
            }
            return MarkdownText.row([title] + numbers + ["\(flow.lastWindowText)", "\(flow.behindText)"])
        }
        let rest = flows.count - text.add(rows, head: .head(titles, numbersFrom: 1))
        if rest > 0 { text.add("\n_\(counted(rest, "flow")) left out for length._\n") }
        let problems =
            repeatedWindows.prefix(Self.problemsShown).map(repeatedLine) + shownProblems.map(problemLine)
            + waits.prefix(Self.problemsShown).map { "- \(code: $0.title) \($1.inWords)\n" }
        _ = text.add(problems, head: "\n")
        for other in [otherRepeated, otherProblems, otherWaits].compactMap(\.self) { text.add("\n_… and \(other)_\n") }
        return text.text
    }

    private func problemLine(_ flow: FlowStatus, _ run: RecordedRun) -> MarkdownText {
        let window = run.window?.text("…") ?? "unknown window"
        let id: MarkdownText = run.id.map { " \(code: $0)" } ?? ""
        let why = flow.why(run)
        return "- \(code: flow.title) **\(run.state.rawValue)** \(window)\(id): \(why)\n"
    }

    private func repeatedLine(_ flow: FlowStatus, _ repeated: RepeatedWindow) -> MarkdownText {
        let runs = repeated.runs.map { run -> MarkdownText in "\(code: run.id?.description ?? "no id")" }
        let ids = runs.dropFirst().reduce(runs.first ?? "") { $0 + ", " + $1 }
        return
            "- ⚠️ \(code: flow.title) **run more than once** \(repeated.window.text("…")): \(repeated.inWords): \(ids)\n"
    }
}
