import ArgumentParser
import Reports

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.",
        discussion: """
            EXAMPLE:
              sluice version --format json    also the commit and the versions of libraries
            """)

    @OptionGroup var output: OutputOptions
    @Option(help: "Output format.") var format = Format<Version>()

    func run() { output.show(Version(), format) }
}
