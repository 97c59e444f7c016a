import ArgumentParser
import FlowRuns
import Foundation
import Manifests
import Reports
import Text

/// What every command understands.
struct OutputOptions: ParsableArguments {
    @Option(help: "Use colours: auto, always or never. With auto, NO_COLOR turns them off.")
    var color: ColorChoice = .auto

    @Flag(name: .shortAndLong, help: "Print only results and errors.")
    var quiet = false

    /// The same, but saying nothing.
    var silenced: OutputOptions {
        var options = self
        options.quiet = true
        return options
    }

    /// What standard output can show.
    var style: TextStyle {
        let isTerminal = Console.isOutputTerminal
        return TextStyle(color: color.isOn(terminal: isTerminal), width: isTerminal ? Console.width : nil)
    }

    /// What standard error can show.
    var errorStyle: TextStyle {
        let isTerminal = Console.isErrorTerminal
        return TextStyle(color: color.isOn(terminal: isTerminal), width: isTerminal ? Console.width : nil)
    }

    /// Writes what the command was asked for, in the format that was asked for.
    func show<Shown: Report>(_ report: Shown, _ format: Format<Shown>) {
        report.write(format.chosen, style) { Console.output($0) }
    }

    /// Tells people what is wrong with manifests.
    func tell(_ diagnostics: [Diagnostic], _ sources: [SourceFile]) {
        guard !diagnostics.isEmpty, !quiet || diagnostics.hasErrors else { return }
        Console.say(DiagnosticsReport(diagnostics, sources: sources).lines(errorStyle) + .blank)
    }

    /// A line for people, unless they asked for silence.
    func say(_ line: StyledText) { if !quiet { Console.say(line) } }

    /// A report for people beside the result.
    func say<Shown: Report>(_ report: Shown) {
        guard !quiet else { return }
        report.write(.text, errorStyle) { Console.say($0) }
    }
}

/// Reads a path on the command line: `~/` at its start is `$HOME`, where the shell has not expanded it (`--out=~/plan.json`).
func pathArgument(_ argument: String) throws -> String {
    do { return try HomePath.expanded(argument) } catch { throw ValidationError(error.description) }
}

/// The manifests that a command reads.
struct ManifestPaths: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Manifest files, and folders to search for *.yaml and *.yml; - is standard input. Default: the current folder.",
            valueName: "path"),
        completion: .file(extensions: ["yaml", "yml"]), transform: pathArgument)
    var paths: [String] = []
}

/// What commands that are about one target understand.
struct ManifestOptions: ParsableArguments {
    @OptionGroup var manifests: ManifestPaths

    @Option(help: "The target, when the manifests declare several.", completion: ManifestCompletion.targets)
    var target: String?

    var paths: [String] { manifests.paths }

    /// As they would be written in a shell.
    var arguments: [String] { (paths + (target.map { ["--target", $0] } ?? [])).map(shellWord) }
}

/// What commands that compute due windows understand.
struct InstantOptions: ParsableArguments {
    @Option(
        name: .customLong("as-of"),
        help: ArgumentHelp("Plan as of this time: \(Moment.form).", valueName: "time"), transform: Moment.init)
    var asOf: Moment?

    /// The instant as of which windows are due.
    func instant() -> Timestamp { asOf?.time ?? Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }
}

/// What commands that talk to the service understand.
struct ServiceOptions: ParsableArguments {
    @Flag(name: .customLong("insecure-http"), help: "Allow http without TLS to other machines.")
    var insecureHTTP = false

    @Option(name: .customLong("log-level"), help: "How much to log on standard error.")
    var logLevel: LogLevel = .warning
}
