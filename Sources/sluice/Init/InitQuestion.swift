import Manifests
import Reports

/// The questions whose answers make a target, in the order in which they are asked.
enum InitQuestion: String, CaseIterable {
    case service, organization, sandbox, target, ledger

    var option: String { "--\(rawValue)" }

    /// Returns the text of the prompt.
    ///
    /// - Parameter known: The answers so far.
    func text(_ known: TargetTemplate) -> String {
        switch self {
        case .service: "Address of the Flow Service, or 'embedded' for the simulator"
        case .organization: "Organisation (x-gw-ims-org-id, it ends with @AdobeOrg)"
        case .sandbox: "Sandbox"
        case .target: "Name of the target, in manifests and reports"
        case .ledger:
            known.isEmbedded
                ? "Ledger (sqlite:PATH)"
                : "Ledger (sqlite:PATH on this machine, git: in this repository, or postgres://…)"
        }
    }

    /// Returns the default answer; `nil` if there is none.
    func defaultAnswer(_ known: TargetTemplate) -> String? {
        switch self {
        case .service: TargetTemplate.valid.service
        case .organization: known.isEmbedded ? "1234@AdobeOrg" : nil
        case .sandbox: "prod"
        case .target: known.isEmbedded ? "try" : known.sandbox
        case .ledger: "sqlite:.sluice/\(known.name).sqlite"
        }
    }

    func set(_ answer: String, in target: inout TargetTemplate) {
        switch self {
        case .service: target.service = answer
        case .organization: target.organization = answer
        case .sandbox: target.sandbox = answer
        case .target: target.name = answer
        case .ledger: target.ledger = answer
        }
    }

    /// Returns the diagnostics that a manifest with this answer would have.
    ///
    /// - Parameter known: The answers so far; valid values are used for the others.
    func problems(of answer: String, _ known: TargetTemplate) -> [Diagnostic] {
        var target = TargetTemplate.valid
        if known.isEmbedded { target.service = known.service }
        set(answer, in: &target)
        return ManifestLoader().load([SourceFile(path: "target.yaml", bytes: Array(target.yaml.utf8))]).diagnostics
    }
}

extension TargetTemplate {
    static let valid = TargetTemplate(
        name: "prod", service: "https://platform.adobe.io/data/foundation/flowservice", organization: "1234@AdobeOrg",
        sandbox: "prod", ledger: "sqlite:prod.sqlite")
}
