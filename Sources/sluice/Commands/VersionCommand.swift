import ArgumentParser
import Reports

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { Console.output("sluice \(Version.text)") }
}
