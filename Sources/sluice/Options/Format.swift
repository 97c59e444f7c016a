import ArgumentParser
import Reports

/// What `--format` of a command takes: the formats that its report has, the first of them where none is given.
struct Format<Shown: Report>: ExpressibleByArgument {
    let chosen: ReportFormat

    init() { chosen = Shown.formats.first ?? .text }

    init?(argument: String) {
        guard let format = Shown.formats.first(where: { $0.rawValue == argument }) else { return nil }
        chosen = format
    }

    static var allValueStrings: [String] { Shown.formats.map(\.rawValue) }
    var defaultValueDescription: String { chosen.rawValue }
}
