import ArgumentParser
import Foundation
import Manifests

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print a JSON Schema of what Sluice reads or writes.",
        discussion: """
            \(Schema.allCases.map { "  \($0.rawValue.padding(toLength: 14, withPad: " ", startingAt: 0))\($0.meaning)" }
                .joined(separator: "\n"))

            EXAMPLES:
              sluice schema run-manifest > run-manifest.schema.json
              sluice schema --diagnostics   every diagnostic's code and meaning

            An editor with a YAML language server completes and explains a manifest that begins with:
              # yaml-language-server: $schema=run-manifest.schema.json
            """)

    @Argument(help: "Which one. Without a name they are listed.") var name: Schema?
    @Flag(help: "List every diagnostic's code and meaning instead.") var diagnostics = false

    func validate() throws {
        if diagnostics, name != nil { throw ValidationError("ask for a schema or for --diagnostics, not for both") }
    }

    func run() throws {
        if diagnostics {
            for code in DiagnosticCode.allCases.sorted(by: { $0.rawValue < $1.rawValue }) {
                Console.output("\(code.rawValue)  \(code.summary)\n")
            }
        } else if let name {
            Console.output(name.bytes)
        } else {
            for schema in Schema.allCases { Console.output(schema.rawValue + "\n") }
        }
    }
}
