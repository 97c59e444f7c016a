import ArgumentParser
import FlowRuns
import Foundation
import Manifests
import Reports

/// How a plan is written.
enum PlanFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, markdown, github
}

/// How a view of the record is written.
enum RecordFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, markdown
}

/// What every command understands.
struct OutputOptions: ParsableArguments {
    @Option(help: "When to colour: auto, always or never. NO_COLOR is honoured.")
    var color: ColorChoice = .auto

    @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
    var quiet = false

    /// The same, but saying nothing.
    var silenced: OutputOptions {
        var options = self
        options.quiet = true
        return options
    }

    var colorsOutput: Bool { color.isOn(terminal: Console.isOutputTerminal) }
    var colorsErrors: Bool { color.isOn(terminal: Console.isErrorTerminal) }

    /// What standard output can show.
    var style: TextStyle {
        TextStyle(color: colorsOutput, width: Console.isOutputTerminal ? Console.width : nil)
    }

    /// A line for people, unless they asked for silence.
    func say(_ text: String) { if !quiet { Console.say(text) } }
}

/// The manifests that a command reads.
struct ManifestPaths: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Manifest files and folders (*.yaml and *.yml, recursively).", valueName: "path"),
        completion: .file(extensions: ["yaml", "yml"]))
    var paths: [String] = []
}

/// What commands that are about one target understand.
struct ManifestOptions: ParsableArguments {
    @OptionGroup var manifests: ManifestPaths

    @Option(help: "The target to use, where the manifests declare several.", completion: ManifestCompletion.targets)
    var target: String?

    var paths: [String] { manifests.paths }
}

/// A moment on the command line: Unix seconds, or RFC 3339.
struct Moment: ExpressibleByArgument {
    static let form = "Unix seconds, or RFC 3339 such as 2024-05-01T00:00:00Z"

    let time: Timestamp

    init?(argument: String) {
        if let seconds = Int64(argument), (0...253_402_300_799).contains(seconds) {
            time = Timestamp(seconds: seconds)
        } else if let date = try? Date.ISO8601FormatStyle().parse(argument) {
            time = Timestamp(seconds: Int64(date.timeIntervalSince1970))
        } else {
            return nil
        }
    }
}

/// What commands that reckon due windows understand.
struct InstantOptions: ParsableArguments {
    @Option(
        name: .customLong("as-of"),
        help: ArgumentHelp("Reckon as if it were this time: \(Moment.form).", valueName: "time"))
    var asOf: Moment?

    /// The instant at which due windows are reckoned.
    func instant() -> Timestamp { asOf?.time ?? Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }
}

/// What commands that talk to the service understand.
struct ServiceOptions: ParsableArguments {
    @Flag(name: .customLong("insecure-http"), help: "Allow plain http to an address other than this machine's own.")
    var insecureHTTP = false

    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: LogLevel = .warning
}

/// How long a command may go on.
struct TimeLimit: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let duration = DurationText(argument)?.fixed else { return nil }
        self.duration = duration
    }
}
