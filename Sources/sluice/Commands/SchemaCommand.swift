import ArgumentParser
import Manifests
import Reports

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of a manifest or an output.",
        discussion: """
            \(Schema.allCases.map { "  \($0.rawValue.padded(to: 14))\($0.meaning)" }
                .joined(separator: "\n"))

            EXAMPLES:
              sluice schema manifest > manifest.schema.json
              sluice schema --diagnostics   list the code and meaning of every diagnostic

            An editor with a YAML language server checks and completes a manifest that begins with:
              \(ManifestTemplate.modeline)
            """)

    @Argument(help: "The name of the schema. Without it the names are listed.") var name: Schema?
    @Flag(help: "List the code and meaning of every diagnostic instead.") var diagnostics = false

    func validate() throws {
        if diagnostics, name != nil { throw ValidationError("give the name of a schema or --diagnostics, not both") }
    }

    func run() throws {
        if diagnostics {
            for code in DiagnosticCode.allCases.sorted(by: { $0.rawValue < $1.rawValue }) {
                Console.output("\(code.rawValue)  \(code.summary)")
            }
        } else if let name {
            Console.output(name.bytes)
        } else {
            for schema in Schema.allCases { Console.output("\(schema.rawValue)") }
        }
    }
}
