import ArgumentParser
import FlowRuns
import Foundation
import Manifests
import Reports

/// How a command writes what it has to say.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, markdown, github
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

/// What commands that read manifests understand.
struct ManifestOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Manifest files and folders (*.yaml and *.yml, recursively).", valueName: "path"),
        completion: .file(extensions: ["yaml", "yml"]))
    var paths: [String] = []

    @Option(help: "The target to use, where the manifests declare several.", completion: ManifestCompletion.targets)
    var target: String?

    @Option(
        name: .customLong("as-of"),
        help: "Reckon as if it were this time: Unix seconds, or RFC 3339 such as 2024-05-01T00:00:00Z.")
    var asOf: String?

    /// The instant at which due windows are reckoned.
    func instant() throws(Failure) -> UnixSeconds {
        guard let asOf else { return UnixSeconds(Date().timeIntervalSince1970) }
        if let seconds = UnixSeconds(asOf), (0...253_402_300_799).contains(seconds) { return seconds }
        if let date = try? Date.ISO8601FormatStyle().parse(asOf) { return UnixSeconds(date.timeIntervalSince1970) }
        throw Failure(
            .usage, "--as-of '\(asOf)' is no time: write Unix seconds, or RFC 3339 such as 2024-05-01T00:00:00Z")
    }
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
    let milliseconds: UnixMilliseconds

    init?(argument: String) {
        guard let milliseconds = DurationText(argument)?.fixedMilliseconds else { return nil }
        self.milliseconds = milliseconds
    }
}
