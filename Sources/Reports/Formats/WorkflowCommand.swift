import FlowRuns
import Manifests
import Text

/// A GitHub Actions workflow command that annotates a line of a manifest.
package struct WorkflowCommand: Hashable, Sendable {
    package enum Level: String, Sendable {
        case error, warning, notice
    }

    let level: Level
    let place: Place?
    let title: String
    /// The lines of the message, of which the first is the message itself.
    let paragraphs: [String]

    init(_ level: Level, at place: Place?, title: String, _ paragraphs: [String]) {
        self.level = level
        self.place = place
        self.title = title
        self.paragraphs = paragraphs
    }

    /// The command: `::error file=…,line=…,col=…,title=SLU0202::message`.
    ///
    /// Values are escaped, so that none can end a property or the command.
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

    /// Escapes a message for a workflow command. GitHub's toolkit also escapes line breaks, which `printable(_:)`
    /// replaces.
    private func data(_ text: String) -> String { printable(text).replacing("%", with: "%25") }

    private func property(_ text: String) -> String {
        data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }
}
