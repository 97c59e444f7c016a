import ArgumentParser
import Foundation
import Manifests

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "List every diagnostic's code and meaning.",
        discussion: """
            EXAMPLES:
              sluice schema --diagnostics
            """)

    @Flag(help: "List every diagnostic's code and meaning.") var diagnostics = false

    func run() throws {
        guard diagnostics else { throw ValidationError("say what to print: --diagnostics") }
        for code in DiagnosticCode.allCases.sorted(by: { $0.rawValue < $1.rawValue }) {
            Console.output("\(code.rawValue)  \(code.summary)\n")
        }
    }
}
