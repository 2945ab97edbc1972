import Dataflow
import Testing

/// What ends the program, in a process of its own: it says why, in release builds too.
@Suite("Programmer's mistakes")
struct ProgrammerMistakeTests {
    @Test("a ragged literal, and one that its dtype cannot hold, end the program with a sentence")
    func literals() async throws {
        let ragged = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor([[1, 2], [3]])
        }
        #expect(text(ragged).contains("rows of one length make a tensor, got one of 2 and one of 1 elements"))
        let inexact = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor([0.5], dtype: .int32)
        }
        #expect(text(inexact).contains("0.5 is no int32"))
    }

    @Test("require says its sentence")
    func requirement() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            require(1 + 1 == 3, "the numbers do not add up")
        }
        #expect(text(result).contains("the numbers do not add up"))
    }

    private func text(_ result: ExitTest.Result?) -> String {
        String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    }
}
