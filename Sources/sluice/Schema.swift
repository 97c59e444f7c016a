import ArgumentParser

/// The JSON Schemas (2020-12) of Sluice's input and output, embedded from `schemas/` at build time.
enum Schema: String, CaseIterable, ExpressibleByArgument {
    case manifest, validate, plan, events, refresh, flows, history, export, status, why

    var meaning: String {
        switch self {
        case .manifest: "a manifest, of either kind"
        case .validate: "what 'validate --format json' writes"
        case .plan: "what 'plan --format json' and 'plan --out' write"
        case .events: "one line of what 'apply --format json' writes"
        case .refresh: "what 'refresh --format json' writes"
        case .flows: "what 'flows --format json' writes"
        case .history: "what 'history --format json' writes"
        case .export: "one line of what 'ledger export' writes"
        case .status: "what 'status --format json' writes"
        case .why: "what 'why --format json' writes"
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
