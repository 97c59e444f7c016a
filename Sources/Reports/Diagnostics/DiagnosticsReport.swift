import FlowRuns
import Manifests
import Text

/// The diagnostics of manifests, in each format.
package struct DiagnosticsReport: Sendable {
    package let diagnostics: [Diagnostic]
    /// The files with the lines to show. A diagnostic about another file is shown without its line.
    package let sources: [SourceFile]

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

extension DiagnosticsReport {
    /// A comment on a pull request whose manifests have errors: there is no plan to show.
    private var markdown: MarkdownText {
        var comment = BoundedMarkdown()
        let errors = diagnostics.count { $0.severity == .error }
        let title = errors > 0 ? "🛑 Sluice cannot plan: \(counted(errors, "error")) in the manifests" : "No errors"
        comment.add("<!-- sluice:plan -->\n### \(title)\n\n")
        let shown = comment.add(diagnostics.errorsFirst.lazy.map(\.markdownLine), share: comment.left - 100)
        if shown < diagnostics.count { comment.add("\n_Left out for length: \(diagnostics.count - shown)._\n") }
        return comment.text
    }
}

extension Diagnostic {
    /// The diagnostic as an item of a list.
    var markdownLine: MarkdownText {
        var text: MarkdownText = severity == .error ? "- 🛑" : "- ⚠️"
        text += " **\(code.rawValue)**"
        if let place { text += " \(code: place):" }
        text += " \(message)"
        if let suggestion { text += " _(\(suggestion))_" }
        return text + "\n"
    }
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
