import FlowRuns
import Text

/// How a report is written.
package enum ReportFormat: String, Sendable {
    case text, json, markdown, github, yaml, html
    case openMetrics = "openmetrics"
}

/// What a command shows, with one rendering for each format that it has.
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
    /// The first is the default.
    static var renderings: [Rendering<Self>] { get }
}

extension Report {
    package static var formats: [ReportFormat] { renderings.map(\.format) }

    /// The one place where a format is chosen. A format that the report does not have writes nothing: no command offers
    /// one.
    ///
    /// - Parameters:
    ///   - style: what the terminal can show, for text.
    ///   - write: takes the bytes in pieces, in order.
    package func write(
        _ format: ReportFormat, _ style: TextStyle = TextStyle(), to write: (_ piece: [UInt8]) -> Void
    ) {
        Self.renderings.first { $0.format == format }?.write(self, style, write)
    }

    /// The whole of it; see ``write(_:_:to:)``.
    package func written(_ format: ReportFormat = .text, _ style: TextStyle = TextStyle()) -> String {
        var bytes: [UInt8] = []
        write(format, style) { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// One format of a report. What comes from outside the program is made harmless by the text type of the format and
/// nowhere else: ``StyledText``, `JSONText`, ``MarkdownText``, ``WorkflowCommand``, ``HTMLText``.
package struct Rendering<Subject: Sendable>: Sendable {
    package let format: ReportFormat
    let write: @Sendable (Subject, TextStyle, (_ piece: [UInt8]) -> Void) -> Void

    /// Lines for a terminal, a log or a pipe.
    package static func text(_ lines: @escaping @Sendable (Subject, TextStyle) -> [StyledText]) -> Rendering {
        Rendering(format: .text) { subject, style, write in write(Array(lines(subject, style).page.utf8)) }
    }

    /// An indented object. The second argument of `members` hands over what was written so far.
    package static func json(
        _ members: @escaping @Sendable (Subject, inout JSONText, (inout JSONText) -> Void) -> Void
    ) -> Rendering {
        Rendering(format: .json) { subject, _, write in
            streamJSON(to: write) { json, handOver in members(subject, &json, handOver) }
        }
    }

    /// JSON that the report streams by itself.
    package static func json(
        streamed: @escaping @Sendable (Subject, (_ piece: [UInt8]) -> Void) -> Void
    ) -> Rendering {
        Rendering(format: .json) { subject, _, write in streamed(subject, write) }
    }

    /// An object on one line, for JSON Lines.
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

    /// Annotations on the manifests' lines.
    package static func github(_ commands: @escaping @Sendable (Subject) -> [WorkflowCommand]) -> Rendering {
        Rendering(format: .github) { subject, _, write in
            write(Array(commands(subject).map(\.line).joined().utf8))
        }
    }

    package static func yaml(_ text: @escaping @Sendable (Subject) -> String) -> Rendering {
        Rendering(format: .yaml) { subject, _, write in write(Array(text(subject).utf8)) }
    }

    /// For a scraper, in the text format of OpenMetrics 1.0.
    static func openMetrics(_ metrics: @escaping @Sendable (Subject) -> MetricsText) -> Rendering {
        Rendering(format: .openMetrics) { subject, _, write in write(Array(metrics(subject).page.utf8)) }
    }

    static func html(_ page: @escaping @Sendable (Subject) -> HTMLText) -> Rendering {
        Rendering(format: .html) { subject, _, write in write(Array(page(subject).text.utf8)) }
    }
}
