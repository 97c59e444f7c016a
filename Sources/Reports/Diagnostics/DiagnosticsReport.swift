import FlowRuns
import Manifests
import Text

/// The diagnostics of manifests, in each format.
package struct DiagnosticsReport: Sendable {
    package let diagnostics: [Diagnostic]
    /// The files with the lines to show. A diagnostic about another file is shown without its line.
    package let sources: [SourceFile]
    /// The target whose plan the manifests prevent, if it is known.
    package var target: String?

    package init(_ diagnostics: [Diagnostic], sources: [SourceFile]) {
        self.diagnostics = diagnostics
        self.sources = sources
    }

    package func lines(_ style: TextStyle) -> [StyledText] { DiagnosticText(diagnostics, sources, style).lines }
}

extension DiagnosticsReport: Report {
    package static let renderings: [Rendering<DiagnosticsReport>] = [
        .text { report, style in report.lines(style) },
        .json { report, json, _ in json.members(of: report.diagnostics) },
        .markdown { report in report.markdown },
        .github { report in report.diagnostics.annotations },
    ]
}

extension [Diagnostic] {
    /// The diagnostics as annotations, errors first: GitHub shows ten of each severity per step.
    var annotations: [WorkflowCommand] {
        errorsFirst.map { diagnostic in
            WorkflowCommand(
                diagnostic.severity == .error ? .error : .warning, at: diagnostic.place,
                title: diagnostic.code.rawValue,
                [diagnostic.message] + [diagnostic.suggestion.map { "help: \($0)" }].compactMap(\.self)
                    + diagnostic.notes.map { "note: \($0.message) (\($0.place))" })
        }
    }

    /// The errors, then the warnings, so that warnings cannot hide an error.
    var errorsFirst: [Diagnostic] {
        filter { $0.severity == .error } + filter { $0.severity == .warning }
    }
}

extension JSONText {
    /// Writes `"formatVersion":1,"errors":…,"warnings":…,"diagnostics":[…]`.
    fileprivate mutating func members(of diagnostics: [Diagnostic]) {
        member("formatVersion", 1)
        member("errors", diagnostics.count { $0.severity == .error })
        member("warnings", diagnostics.count { $0.severity == .warning })
        array("diagnostics") { json in
            for diagnostic in diagnostics { json.line { $0.members(of: diagnostic) } }
        }
    }

    package mutating func members(of diagnostic: Diagnostic) { Diagnostic.coding.write(diagnostic, to: &self) }
}

extension DiagnosticsReport {
    /// The diagnostics as a comment in place of a plan, with the marker by which a bot finds the comment to update.
    fileprivate var markdown: MarkdownText {
        var comment = BoundedMarkdown()
        let errors = diagnostics.count { $0.severity == .error }
        let title = errors > 0 ? "🛑 Sluice cannot plan: \(counted(errors, "error")) in the manifests" : "No errors"
        comment.add("\(MarkdownText.planMarker(of: target))\n### \(title)\n\n")
        let shown = comment.add(diagnostics.errorsFirst.lazy.map(\.markdownItem), share: comment.left - 100)
        if shown < diagnostics.count { comment.add("\n_Left out for length: \(diagnostics.count - shown)._\n") }
        return comment.text
    }
}

extension MarkdownText {
    /// The first line of every comment on a target's plan, by which a bot finds the comment to update.
    static func planMarker(of target: String?) -> MarkdownText {
        guard let target else { return "<!-- sluice:plan -->" }
        // Two hyphens would end the HTML comment.
        let name = target.prefix(200).replacing("--", with: "- -").replacing(">", with: "")
        return "<!-- sluice:plan target=\(html: name) -->"
    }
}

extension Diagnostic {
    /// The diagnostic as an item of a list.
    var markdownItem: MarkdownText {
        var text: MarkdownText = severity == .error ? "- 🛑" : "- ⚠️"
        text += " **\(code.rawValue)**"
        if let place { text += " \(code: place):" }
        text += " \(message)"
        if let suggestion { text += " _(\(suggestion))_" }
        return text + "\n"
    }
}

extension [Diagnostic] {
    /// The diagnostics grouped by code, severity and message, in the order of the first of each group.
    var byCause: [[Diagnostic]] {
        groups { diagnostic in
            [
                diagnostic.code.rawValue, diagnostic.severity.rawValue,
                String(diagnostic.message.prefix(300)).withoutIDs,
            ]
        }.map(\.elements)
    }
}
