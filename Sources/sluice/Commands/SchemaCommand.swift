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

/// The JSON Schemas (2020-12) of Sluice's input and output, embedded from `schemas/` at build time.
enum Schema: String, CaseIterable, ExpressibleByArgument {
    case manifest, validate, plan, events, refresh, flows, history, export, status, why

    var meaning: String {
        switch self {
        case .manifest: "a manifest, of either kind"
        case .events: "one line of what 'apply --format json' writes"
        case .export: "one line of what 'ledger export' writes"
        case .plan: "what 'plan --format json' and 'plan --out' write"
        case .validate, .refresh, .flows, .history, .status, .why: "what '\(rawValue) --format json' writes"
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .manifest: PackageResources.manifest_schema_json
        case .validate: PackageResources.validate_schema_json
        case .plan: PackageResources.plan_schema_json
        case .events: PackageResources.events_schema_json
        case .refresh: PackageResources.refresh_schema_json
        case .flows: PackageResources.flows_schema_json
        case .history: PackageResources.history_schema_json
        case .export: PackageResources.export_schema_json
        case .status: PackageResources.status_schema_json
        case .why: PackageResources.why_schema_json
        }
    }
}
