import Dataflow

extension FunctionPlaceTests {
    static let elements: [Call] =
        unary + [
            Call("addN") { _ = addN([$0.x, $0.x]) },
            Call("mul") { _ = mul($0.x, 2) },
            Call("add") { _ = add(2, $0.x) },
            Call("sub") { _ = sub($0.x, Float(2)) },
            Call("div") { _ = div(Float(2), $0.x) },
            Call("bitwiseAnd") { _ = bitwiseAnd($0.whole, 2) },
            Call("bitwiseOr") { _ = bitwiseOr($0.whole, 2) },
            Call("bitwiseXor") { _ = bitwiseXor($0.whole, 2) },
            Call("leftShift") { _ = leftShift($0.whole, 2) },
            Call("rightShift") { _ = rightShift(2, $0.whole) },
            Call("invert") { _ = invert($0.whole) },
            Call("cast") { _ = cast($0.x, to: .int64) },
            Call("less") { _ = less($0.x, 2) },
            Call("lessEqual") { _ = lessEqual(2, $0.x) },
            Call("greater") { _ = greater($0.x, $0.row) },
            Call("greaterEqual") { _ = greaterEqual($0.x, 2) },
            Call("equal") { _ = equal($0.mask, true) },
            Call("notEqual") { _ = notEqual($0.x, [1, 2, 3]) },
            Call("squaredDifference") { _ = squaredDifference($0.x, 0.5) },
            Call("floorDiv") { _ = floorDiv($0.whole, 2) },
            Call("floorMod") { _ = floorMod($0.whole, 2) },
            Call("divNoNan") { _ = divNoNan(1, $0.x) },
            Call("pow") { _ = pow($0.x, 2) },
            Call("maximum") { _ = maximum($0.x, 2) },
            Call("minimum") { _ = minimum($0.x, 2) },
            Call("clip") { _ = clip($0.x, 2, 3) },
            Call("clip") { _ = clip($0.x, sum($0.x), 3) },
            Call("logicalAnd") { _ = logicalAnd($0.mask, true) },
            Call("logicalOr") { _ = logicalOr($0.mask, $0.mask) },
            Call("logicalNot") { _ = logicalNot($0.mask) },
            Call("select") { _ = select($0.mask, $0.x, 0) },
            Call("select") { _ = select($0.mask, 1, 0) },
            Call("truncateDiv") { _ = truncateDiv($0.whole, 2) },
            Call("truncateMod") { _ = truncateMod($0.whole, 2) },
            Call("mulNoNan") { _ = mulNoNan($0.x, 2) },
            Call("xlogy") { _ = xlogy($0.x, 2) },
            Call("xlog1py") { _ = xlog1py($0.x, 2) },
            Call("xdivy") { _ = xdivy($0.x, 2) },
            Call("zeta") { _ = zeta(2, $0.x) },
            Call("atan2") { _ = atan2($0.x, 2) },
            Call("assign") { $0.v.assign(0) },
            Call("assignAdd") { $0.v.assignAdd(1) },
            Call("assignSub") { $0.v.assignSub($0.v) },
            Call("l2Normalize") { _ = l2Normalize($0.x, axis: 1) },
            Call("clipByNorm") { _ = clipByNorm($0.x, norm: 1) },
            Call("softmax") { _ = softmax($0.x) },
            Call("softmax") { _ = softmax($0.x, axis: 0) },
            Call("logSoftmax") { _ = logSoftmax($0.batch, axis: 1) },
            Call("all") { _ = all($0.mask, axis: 0) },
            Call("any") { _ = any($0.mask, axes: [0]) },
            Call("argMax") { _ = argMax($0.x, axis: 1) },
            Call("argMin") { _ = argMin($0.x) },
            Call("euclideanNorm") { _ = euclideanNorm($0.x, axis: 1) },
            Call("logSumExp") { _ = logSumExp($0.x, axis: 1) },
            Call("max") { _ = max($0.x, axis: 1) },
            Call("min") { _ = min($0.open) },
            Call("prod") { _ = prod($0.x, axis: 1) },
            Call("sum") { _ = sum($0.open) },
            Call("mean") { _ = mean($0.x, axis: -1, keepDims: true) },
            Call("variance") { _ = variance($0.x, axis: -1) },
            Call("std") { _ = std($0.x) },
        ]

    static let unary: [Call] = [
        Call("elu") { _ = elu($0.x) }, Call("leakyRelu") { _ = leakyRelu($0.x) }, Call("relu") { _ = relu($0.x) },
        Call("relu6") { _ = relu6($0.x) }, Call("selu") { _ = selu($0.x) }, Call("sigmoid") { _ = sigmoid($0.x) },
        Call("softplus") { _ = softplus($0.x) }, Call("softsign") { _ = softsign($0.x) },
        Call("tanh") { _ = tanh($0.x) }, Call("erfc") { _ = erfc($0.x) }, Call("erfinv") { _ = erfinv($0.x) },
        Call("ndtri") { _ = ndtri($0.x) }, Call("exp") { _ = exp($0.x) }, Call("expm1") { _ = expm1($0.x) },
        Call("log") { _ = log($0.x) }, Call("log1p") { _ = log1p($0.x) }, Call("abs") { _ = abs($0.x) },
        Call("sign") { _ = sign($0.x) }, Call("sinh") { _ = sinh($0.x) }, Call("cosh") { _ = cosh($0.x) },
        Call("asinh") { _ = asinh($0.x) }, Call("acosh") { _ = acosh($0.x) }, Call("atanh") { _ = atanh($0.x) },
        Call("isNaN") { _ = isNaN($0.x) }, Call("isInf") { _ = isInf($0.x) }, Call("isFinite") { _ = isFinite($0.x) },
        Call("sqrt") { _ = sqrt($0.x) }, Call("rsqrt") { _ = rsqrt($0.x) },
        Call("reciprocal") { _ = reciprocal($0.x) }, Call("floor") { _ = floor($0.x) },
        Call("ceil") { _ = ceil($0.x) }, Call("round") { _ = round($0.x) }, Call("rint") { _ = rint($0.x) },
        Call("erf") { _ = erf($0.x) }, Call("lgamma") { _ = lgamma($0.x) }, Call("digamma") { _ = digamma($0.x) },
        Call("square") { _ = square($0.x) }, Call("sin") { _ = sin($0.x) }, Call("cos") { _ = cos($0.x) },
        Call("tan") { _ = tan($0.x) }, Call("asin") { _ = asin($0.x) }, Call("acos") { _ = acos($0.x) },
        Call("atan") { _ = atan($0.x) }, Call("identity") { _ = identity($0.x) },
        Call("stopGradient") { _ = stopGradient($0.x) },
    ]

    static let rest: [Call] = [
        Call("variable") { $0.g.variable($0.row) },
        Call("variable") { $0.g.variable(Tensor([Float(1)])) },
        Call("constant") { _ = $0.g.constant(Float(1)) },
        Call("placeholder") { _ = $0.g.placeholder() },
        Call("placeholder") { _ = $0.g.placeholder(default: $0.x) },
        Call("group") { _ = $0.g.group([$0.x, $0.row]) },
        Call("globalVariablesInitializer") { _ = $0.g.globalVariablesInitializer() },
        Call("ensureShape") { _ = ensureShape($0.open, [2]) },
        Call("checkNumerics") { _ = checkNumerics($0.x, message: "x") },
        Call("gradients") { _ = $0.g.gradients(of: sum(mul($0.x, $0.row)), by: [$0.x]) },
        Call("rowGradients") { _ = $0.g.rowGradients(of: sum(gather($0.x, [1])), by: [$0.x]) },
        Call("cond") { i in _ = cond(all(i.mask), then: { [sum(i.x) + 1] }, else: { [sum(i.x)] }) },
        Call("whileLoop") { i in _ = whileLoop([sum(i.x)], while: { $0[0] .< 9 }, do: { [$0[0] + 1] }) },
        Call("whileLoop") { i in
            _ = whileLoop([sum(i.x)], while: { less($0[0], 9) }, do: { [mul($0[0], sum(i.row))] }, maximumIterations: 2)
        },
        Call("blockLSTM") {
            let cell = ($0.g.zeros(shape: [2, 1]), $0.g.zeros(shape: [4, 4]), $0.g.zeros(shape: [4]))
            _ = blockLSTM($0.batch, cellState: cell.0, output: cell.0, weights: cell.1, bias: cell.2)
        },
        Call("gruBlockCell") {
            let cell = ($0.g.zeros(shape: [2, 1]), $0.g.zeros(shape: [4, 2]), $0.g.zeros(shape: [4, 1]))
            let bias = ($0.g.zeros(shape: [2]), $0.g.zeros(shape: [1]))
            _ = gruBlockCell(
                $0.x, output: cell.0, gateWeights: cell.1, weights: cell.2, gateBias: bias.0, bias: bias.1)
        },
    ]
}
