extension CoverageReport {
    /// The maximum number of flows named for each cause.
    private static let flowLimit = 20

    /// Writes the troubles by cause, with the flows and what ends each trouble.
    func troubles(_ html: inout HTMLText) {
        guard let groups = status?.groups, !groups.isEmpty else { return }
        html.element("section", ["class": "troubles", "aria-labelledby": "troubles"]) { html in
            html.element("h2", ["id": "troubles"], text: "Troubles by cause")
            html.element("ul") { html in
                for group in groups { html.element("li") { html in item(group, &html) } }
            }
        }
    }

    private func item(_ group: TroubleGroup, _ html: inout HTMLText) {
        html.element("strong", text: group.title)
        html.element("ul") { html in
            for (flow, trouble) in group.members.prefix(Self.flowLimit) {
                let extent = trouble.extent("…")
                html.element("li", text: extent.isEmpty ? flow.title : "\(flow.title): \(extent)")
            }
            let rest = group.members.count - Self.flowLimit
            if rest > 0 { html.element("li", text: "and \(counted(rest, "more flow"))") }
        }
        for (remedy, _) in group.remedies.prefix(3) {
            html.element("p") { html in
                html.add("→ \(remedy.text)")
                guard let command = remedy.command, let status else { return }
                html.add(": ")
                html.element("code", text: status.arguments.command(command))
            }
            guard !remedy.lines.isEmpty else { continue }
            html.element("pre") { html in
                for line in remedy.lines {
                    html.add(line)
                    html.verbatim("\n")
                }
            }
        }
    }
}
