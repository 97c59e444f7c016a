import ArgumentParser
import Reports

/// The value of `--format`: one of the formats of a report. The default is the report's first format.
struct Format<Shown: Report>: ExpressibleByArgument {
    let chosen: ReportFormat

    init() { chosen = Shown.formats.first ?? .text }

    init?(argument: String) {
        guard let format = Shown.formats.first(where: { $0.rawValue == argument }) else { return nil }
        chosen = format
    }

    static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
    static var allValueStrings: [String] { Shown.formats.map(\.rawValue) }
    var defaultValueDescription: String { chosen.rawValue }
}
