import FlowRuns
import Text

/// An output format.
package enum ReportFormat: String, Sendable {
    case text, json, markdown, github, yaml, html
    case openMetrics = "openmetrics"
}

/// The output of a command, with one rendering for each supported format.
///
/// ```swift
/// extension StatusReport: Report {
///     package static let renderings: [Rendering<Self>] = [
///         .text { report, style in report.lines(style) },
///         .json { report, json, _ in report.write(to: &json) },
///     ]
/// }
/// ```
package protocol Report: Sendable {
    /// The renderings; the first one is the default.
    static var renderings: [Rendering<Self>] { get }
}

extension Report {
    package static var formats: [ReportFormat] { renderings.map(\.format) }

    /// Writes the report in a format. An unsupported format writes nothing, and no command offers one.
    ///
    /// This method is the only place that selects a rendering by format.
    ///
    /// - Parameters:
    ///   - format: The format.
    ///   - style: The capabilities of the terminal, for the format `text`.
    ///   - write: Receives the bytes in chunks, in order.
    package func write(
        _ format: ReportFormat, _ style: TextStyle = TextStyle(), to write: (_ piece: [UInt8]) -> Void
    ) {
        Self.renderings.first { $0.format == format }?.write(self, style, write)
    }

    /// Returns the whole report as text; see ``write(_:_:to:)``.
    package func written(_ format: ReportFormat = .text, _ style: TextStyle = TextStyle()) -> String {
        var bytes: [UInt8] = []
        write(format, style) { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// One format of a report.
///
/// Untrusted text is escaped by the text type of the format and nowhere else: ``StyledText``, `JSONText`,
/// ``MarkdownText``, ``WorkflowCommand``, `HTMLText`.
package struct Rendering<Subject: Sendable>: Sendable {
    package let format: ReportFormat
    let write: @Sendable (Subject, TextStyle, (_ piece: [UInt8]) -> Void) -> Void

    /// Renders lines for a terminal, a log or a pipe.
    package static func text(_ lines: @escaping @Sendable (Subject, TextStyle) -> [StyledText]) -> Rendering {
        Rendering(format: .text) { subject, style, write in write(Array(lines(subject, style).page.utf8)) }
    }

    /// Renders an indented JSON object. The second argument of `members` writes everything so far as a chunk.
    package static func json(
        _ members: @escaping @Sendable (Subject, inout JSONText, (inout JSONText) -> Void) -> Void
    ) -> Rendering {
        Rendering(format: .json) { subject, _, write in
            streamJSON(to: write) { json, handOver in members(subject, &json, handOver) }
        }
    }

    /// Renders JSON that the report streams itself.
    package static func json(
        streamed: @escaping @Sendable (Subject, (_ piece: [UInt8]) -> Void) -> Void
    ) -> Rendering {
        Rendering(format: .json) { subject, _, write in streamed(subject, write) }
    }

    /// Renders a JSON object on a single line, for JSON Lines.
    package static func jsonLine(
        _ members: @escaping @Sendable (Subject, inout JSONText) -> Void
    ) -> Rendering {
        Rendering(format: .json) { subject, _, write in
            var json = JSONText()
            json.object { members(subject, &$0) }
            write(json.bytes + [UInt8(ascii: "\n")])
        }
    }

    package static func markdown(_ text: @escaping @Sendable (Subject) -> MarkdownText) -> Rendering {
        Rendering(format: .markdown) { subject, _, write in write(Array(text(subject).source.utf8)) }
    }

    /// Renders annotations for the lines of the manifests.
    package static func github(_ commands: @escaping @Sendable (Subject) -> [WorkflowCommand]) -> Rendering {
        Rendering(format: .github) { subject, _, write in
            write(Array(commands(subject).map(\.line).joined().utf8))
        }
    }

    package static func yaml(_ text: @escaping @Sendable (Subject) -> String) -> Rendering {
        Rendering(format: .yaml) { subject, _, write in write(Array(text(subject).utf8)) }
    }

    /// Renders metrics for a scraper, in the text format of OpenMetrics 1.0.
    static func openMetrics(_ metrics: @escaping @Sendable (Subject) -> MetricsText) -> Rendering {
        Rendering(format: .openMetrics) { subject, _, write in write(Array(metrics(subject).page.utf8)) }
    }

    static func html(_ page: @escaping @Sendable (Subject) -> HTMLText) -> Rendering {
        Rendering(format: .html) { subject, _, write in write(Array(page(subject).text.utf8)) }
    }
}
