internal import CKernels

/// float32 and float64 with their compiled loops over recurrent cells.
protocol CellScalar: NumericScalar & BinaryFloatingPoint {
    typealias Values = UnsafePointer<Self>
    typealias Results = UnsafeMutablePointer<Self>

    static var lstmForward: LSTMForwardLoop<Self> { get }
    static var lstmBackward: LSTMBackwardLoop<Self> { get }
    static var gruGates: GRUGatesLoop<Self> { get }
    static var gruOutput: GRUOutputLoop<Self> { get }
}

/// lstm, gates, bias, peepholes, cs_prev, results, at, first, end.
typealias LSTMForwardLoop<Scalar> = (
    UnsafePointer<tributary_lstm>?, UnsafePointer<Scalar>?, UnsafePointer<Scalar>?,
    UnsafePointer<UnsafePointer<Scalar>?>?, UnsafePointer<Scalar>?, UnsafePointer<UnsafeMutablePointer<Scalar>?>?, Int,
    Int, Int
) -> Void

/// lstm, peepholes, cs_prev, values, at, h_grad, cs_grad, gates_grad, first, end.
typealias LSTMBackwardLoop<Scalar> = (
    UnsafePointer<tributary_lstm>?, UnsafePointer<UnsafePointer<Scalar>?>?, UnsafePointer<Scalar>?,
    UnsafePointer<UnsafePointer<Scalar>?>?, Int, UnsafePointer<Scalar>?, UnsafeMutablePointer<Scalar>?,
    UnsafeMutablePointer<Scalar>?, Int, Int
) -> Void

/// cells, sums, bias, h_prev, r, u, reset, first, end.
typealias GRUGatesLoop<Scalar> = (
    Int, UnsafePointer<Scalar>?, UnsafePointer<Scalar>?, UnsafePointer<Scalar>?, UnsafeMutablePointer<Scalar>?,
    UnsafeMutablePointer<Scalar>?, UnsafeMutablePointer<Scalar>?, Int, Int
) -> Void

/// cells, bias, h_prev, u, c, h, first, end.
typealias GRUOutputLoop<Scalar> = (
    Int, UnsafePointer<Scalar>?, UnsafePointer<Scalar>?, UnsafePointer<Scalar>?, UnsafeMutablePointer<Scalar>?,
    UnsafeMutablePointer<Scalar>?, Int, Int
) -> Void

extension Float: CellScalar {
    static var lstmForward: LSTMForwardLoop<Float> { tributary_lstm_forward_f32 }
    static var lstmBackward: LSTMBackwardLoop<Float> { tributary_lstm_backward_f32 }
    static var gruGates: GRUGatesLoop<Float> { tributary_gru_gates_f32 }
    static var gruOutput: GRUOutputLoop<Float> { tributary_gru_output_f32 }
}

extension Double: CellScalar {
    static var lstmForward: LSTMForwardLoop<Double> { tributary_lstm_forward_f64 }
    static var lstmBackward: LSTMBackwardLoop<Double> { tributary_lstm_backward_f64 }
    static var gruGates: GRUGatesLoop<Double> { tributary_gru_gates_f64 }
    static var gruOutput: GRUOutputLoop<Double> { tributary_gru_output_f64 }
}

/// A kernel written once for float32 and float64, with the loops over recurrent cells.
protocol CellKernel {
    static func make<Scalar: CellScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel
}

extension KernelBinding {
    /// `K` for float32 or float64.
    func cell<K: CellKernel>(_ kernel: K.Type, _ dtype: DType) throws -> Kernel {
        switch dtype {
        case .float32: try K.make(Float.self, self)
        case .float64: try K.make(Double.self, self)
        default: throw GraphError("no kernel for \(dtype)")
        }
    }
}
