import Manifests
import Planner

/// Annotations on the lines of manifests: workflow commands of GitHub Actions, one a line, to be printed to standard
/// output. GitHub shows ten of each severity for a step, so errors come first.
package struct GitHubAnnotations: Sendable {
    package init() {}

    /// `::error file=…,line=…,col=…,title=SLU0202::message` for each diagnostic.
    package func render(_ diagnostics: [Diagnostic]) -> String {
        let sorted = diagnostics.filter { $0.severity == .error } + diagnostics.filter { $0.severity == .warning }
        return sorted.map { line(for: $0) }.joined()
    }

    /// The diagnostics of a plan, and a notice for each flow that it requests runs of.
    package func render(_ plan: Plan) -> String {
        let notices = plan.flows.filter { !$0.actions.isEmpty || !$0.held.isEmpty }.map { flow in
            let counts = flow.counts
            let words = (counts.wanted + counts.standing).joined(separator: ", ")
            let span = flow.span.map { "; requests cover \($0.text("…")) (\(spanText($0.length)))" } ?? ""
            let unverified = flow.isVerified ? "" : "; unverified"
            return command("notice", flow.place, title: "Sluice plan", "\(flow.title): \(words)\(span)\(unverified)")
        }
        return render(plan.diagnostics) + notices.joined()
    }

    private func line(for diagnostic: Diagnostic) -> String {
        let help = diagnostic.suggestion.map { "\nhelp: \($0)" } ?? ""
        let notes = diagnostic.notes.map { "\nnote: \($0.message) (\($0.place))" }.joined()
        return command(
            diagnostic.severity.rawValue, diagnostic.place, title: diagnostic.code.rawValue,
            diagnostic.message + help + notes)
    }

    private func command(_ name: String, _ place: Place?, title: String, _ message: String) -> String {
        var properties: [String] = []
        if let place {
            properties = ["file=\(property(place.file))", "line=\(place.line)", "col=\(place.column)"]
            if place.length > 1 { properties.append("endColumn=\(place.column + place.length)") }
        }
        properties.append("title=\(property(title))")
        return "::\(name) \(properties.joined(separator: ","))::\(data(message))\n"
    }

    /// What may not stand in a command's message, by GitHub's own toolkit.
    private func data(_ text: String) -> String { percent(text, "%\r\n") }

    /// What may not stand in a property besides.
    private func property(_ text: String) -> String { percent(text, "%\r\n:,") }

    private func percent(_ text: String, _ reserved: String) -> String {
        let codes: [Unicode.Scalar: String] = ["%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"]
        return text.unicodeScalars.reduce(into: "") { escaped, scalar in
            if reserved.unicodeScalars.contains(scalar), let code = codes[scalar] {
                escaped += code
            } else {
                escaped.unicodeScalars.append(scalar)
            }
        }
    }
}
