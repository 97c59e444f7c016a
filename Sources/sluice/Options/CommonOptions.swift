import ArgumentParser
import FlowRuns
import Foundation
import Logging
import Manifests
import Reports
import Text

/// Options of every command.
struct OutputOptions: ParsableArguments {
    @Option(help: "Use colours: auto, always or never. With auto, NO_COLOR turns them off.")
    var color: ColorChoice = .auto

    @Flag(name: .shortAndLong, help: "Print only results and errors.")
    var quiet = false

    /// A copy of these options with `--quiet` set.
    var silenced: OutputOptions {
        var options = self
        options.quiet = true
        return options
    }

    /// The width and colours of standard output.
    var style: TextStyle {
        let isTerminal = Console.isOutputTerminal
        return TextStyle(color: color.isOn(terminal: isTerminal), width: isTerminal ? Console.width : nil)
    }

    /// The width and colours of standard error.
    var errorStyle: TextStyle {
        let isTerminal = Console.isErrorTerminal
        return TextStyle(color: color.isOn(terminal: isTerminal), width: isTerminal ? Console.width : nil)
    }

    /// Writes a report to standard output in the chosen format.
    func show<Shown: Report>(_ report: Shown, _ format: Format<Shown>) {
        report.write(format.chosen, style) { Console.output($0) }
    }

    /// Prints diagnostics to standard error.
    func printDiagnostics(_ diagnostics: [Diagnostic], sources: [SourceFile]) {
        guard !diagnostics.isEmpty, !quiet || diagnostics.hasErrors else { return }
        Console.printNote(DiagnosticsReport(diagnostics, sources: sources).lines(errorStyle) + .blank)
    }

    /// Prints a line to standard error, unless `--quiet` is set.
    func printNote(_ line: StyledText) { if !quiet { Console.printNote(line) } }

    /// Prints a sentence that ends with a command to standard error, unless `--quiet` is set.
    func printNote(_ text: String, command: String) {
        if !quiet { Console.printNote(errorStyle.lines(text, command: command)) }
    }

    /// Prints a report to standard error, unless `--quiet` is set.
    func printNote<Shown: Report>(_ report: Shown) {
        guard !quiet else { return }
        report.write(.text, errorStyle) { Console.printNote($0) }
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
        completion: .file(extensions: ["yaml", "yml", "json"]), transform: pathArgument)
    var paths: [String] = []
}

/// Options of the commands that work on one target.
struct ManifestOptions: ParsableArguments {
    @OptionGroup var manifests: ManifestPaths

    @Option(
        help: "The target, when the manifests declare several. Default: SLUICE_TARGET.",
        completion: ManifestCompletion.targets)
    var target: String?

    var paths: [String] { manifests.paths }

    /// The options in shell syntax.
    var arguments: [String] { (paths + (target.map { ["--target", $0] } ?? [])).map(shellWord) }
}

/// Options of the commands that compute due windows.
struct InstantOptions: ParsableArguments {
    @Option(
        name: .customLong("as-of"),
        help: ArgumentHelp("Plan as of this time: \(Moment.form).", valueName: "time"), transform: Moment.init)
    var asOf: Moment?

    /// Returns the instant as of which windows are due.
    func instant() -> Timestamp { asOf?.time ?? Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }
}

/// The variables that the commands which connect to the service read, for their help.
let credentialsHelp = """
    ENVIRONMENT:
      SLUICE_ACCESS_TOKEN, SLUICE_API_KEY  an existing token, or
      SLUICE_CLIENT_ID, SLUICE_CLIENT_SECRET, SLUICE_SCOPES  OAuth server-to-server
      SLUICE_TOKEN_URL                     another token endpoint
      SLUICE_TARGET                        the target, where --target is not given
      SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, HTTP_PROXY, NO_PROXY
    """

/// Options of the commands that connect to the service.
struct ServiceOptions: ParsableArguments {
    @Flag(name: .customLong("insecure-http"), help: "Allow http without TLS to other machines.")
    var insecureHTTP = false

    @Option(name: .customLong("log-level"), help: "How much to log on standard error.")
    var logLevel: Logger.Level = .warning
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

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
