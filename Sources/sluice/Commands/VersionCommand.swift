import ArgumentParser
import Reports

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.",
        discussion: """
            EXAMPLES:
              sluice version --verbose        also the commit, the versions of libraries and the source of time zones
              sluice version --format json    the same for programs
            """)

    @OptionGroup var output: OutputOptions
    @Option(help: "Output format.") var format = Format<Version>()

    @Flag(help: "Also print the commit, the versions of libraries and the source of time zones.") var verbose = false

    func run() { output.show(Version(isVerbose: verbose), format) }
}
