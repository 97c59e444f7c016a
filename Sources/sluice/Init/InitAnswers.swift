import Manifests
import Reports

/// The answers to the questions of `sluice init`, from the command line or from a terminal.
struct InitAnswers {
    let options: [InitQuestion: String]

    /// Prompts for each missing answer, and repeats the question if an answer is invalid.
    func ask() throws(Failure) -> TargetTemplate {
        var target = try checked(canAsk: true)
        for question in InitQuestion.allCases where options[question] == nil {
            question.set(try ask(question, target), in: &target)
        }
        return target
    }

    /// Uses the default for each missing answer.
    ///
    /// - Throws: ``Failure`` with all answers that are missing or invalid.
    func fromOptions() throws(Failure) -> TargetTemplate { try checked(canAsk: false) }

    private func checked(canAsk: Bool) throws(Failure) -> TargetTemplate {
        var target = TargetTemplate(name: "", service: "", organization: "", sandbox: "", ledger: "")
        var problems: [String] = []
        for question in InitQuestion.allCases {
            if let answer = options[question] {
                for problem in question.problems(of: answer, target) where problem.severity == .error {
                    problems.append("\(question.option): \(problem.sentence)")
                }
                question.set(answer, in: &target)
            } else if let answer = question.defaultAnswer(target) {
                question.set(answer, in: &target)
            } else if !canAsk {
                problems.append("\(question.option) is required when standard input is not a terminal")
            }
        }
        guard problems.isEmpty else { throw Failure(.usage, "cannot write a target", details: problems) }
        return target
    }

    private func ask(_ question: InitQuestion, _ known: TargetTemplate) throws(Failure) -> String {
        let defaultAnswer = question.defaultAnswer(known)
        while true {
            let hint = defaultAnswer.map { " [\($0)]" } ?? ""
            guard let line = Console.ask("\(question.text(known))\(hint):") else {
                throw Failure(.usage, "the input has ended; nothing was written")
            }
            guard let answer = line.isEmpty ? defaultAnswer : line else { continue }
            let problems = question.problems(of: answer, known)
            for problem in problems { Console.printNote("  \(problem.severity.rawValue): \(problem.sentence)") }
            if !problems.hasErrors { return answer }
        }
    }
}

extension Diagnostic {
    fileprivate var sentence: String { message + (suggestion.map { ": \($0)" } ?? "") }
}

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
