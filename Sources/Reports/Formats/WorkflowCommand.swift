import FlowRuns
import Manifests
import Text

/// An annotation on a line of a manifest: a workflow command of GitHub Actions.
package struct WorkflowCommand: Hashable, Sendable {
    package enum Level: String, Sendable {
        case error, warning, notice
    }

    let level: Level
    let place: Place?
    let title: String
    /// Its first line is the message itself.
    let paragraphs: [String]

    init(_ level: Level, at place: Place?, title: String, _ paragraphs: [String]) {
        self.level = level
        self.place = place
        self.title = title
        self.paragraphs = paragraphs
    }

    /// `::error file=…,line=…,col=…,title=SLU0202::message`. What stands in it can end neither a property nor the
    /// command.
    var line: String {
        var properties: [String] = []
        if let place {
            properties = ["file=\(property(place.file))", "line=\(place.line)", "col=\(place.column)"]
            if place.length > 1 { properties.append("endColumn=\(place.column + place.length)") }
        }
        properties.append("title=\(property(title))")
        let message = paragraphs.map { data($0) }.joined(separator: "%0A")
        return "::\(level.rawValue) \(properties.joined(separator: ","))::\(message)\n"
    }

    /// What may not stand in a message, by GitHub's own toolkit, besides the control characters that ``printable(_:)``
    /// takes away.
    private func data(_ text: String) -> String { printable(text).replacing("%", with: "%25") }

    private func property(_ text: String) -> String {
        data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }
}
