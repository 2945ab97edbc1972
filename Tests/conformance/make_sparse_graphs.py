#!/usr/bin/env python3
"""Writes graphs with sparse tensors, candidate samplers, lookup tables and hashed texts, as TensorFlow 1 programs hold them,
with what TensorFlow computes: cases for `tributary graph check`, as make_training_graphs.py writes them.

    make_sparse_graphs.py FOLDER [NAME …]

Needs tensorflow-cpu and numpy.
"""
import pathlib
import tempfile

import make_training_graphs as base
from make_training_graphs import Case, case, np, numbers, tf, v1, variable

base.CASES.clear()


def sparse(name, indices, values, shape, dtype=tf.float32):
    """A fed sparse tensor, and its feeds."""
    fed = v1.sparse_placeholder(dtype, [None] * len(shape), name=name)
    values = np.asarray(values, dtype.as_numpy_dtype)
    feeds = {fed.indices: np.array(indices, np.int64).reshape(-1, len(shape)), fed.values: values, fed.dense_shape: np.array(shape, np.int64)}
    return fed, feeds


def places(seed, *shape, part=0.4):
    return np.argwhere(np.random.RandomState(seed).uniform(size=shape) < part)


def parts(x):
    return [x.indices, x.values, x.dense_shape]


MATRIX = [[0, 1], [0, 3], [1, 0], [3, 2], [3, 3]]


# Sparse tensors


@case
def sparse_matmul_both_gradients():
    x, feeds = sparse("x", MATRIX, numbers(1, 5), [4, 5])
    w = variable("w", numbers(2, 5, 3))
    u = variable("u", numbers(3, 3, 4))
    h = tf.tanh(tf.sparse.sparse_dense_matmul(x, w))
    g = tf.sparse.sparse_dense_matmul(x, u, adjoint_a=True, adjoint_b=True)
    p = tf.sparse.sparse_dense_matmul(x, tf.matmul(h, u), adjoint_a=True)
    loss = tf.reduce_mean(tf.square(h)) + tf.reduce_mean(tf.square(g)) + tf.reduce_mean(p)
    train = v1.train.AdamOptimizer(0.05).minimize(loss)
    return Case([loss, h, g, v1.gradients(loss, x.values)[0]], feeds, train, 10, 1e-3)


@case
def sparse_reshape_slice_concat():
    x, feeds = sparse("x", [[0, 0, 1], [0, 1, 2], [1, 0, 0], [1, 2, 3]], numbers(4, 4), [2, 3, 4])
    flat = tf.sparse.reshape(x, [-1, 4])
    two = tf.sparse.concat(1, [flat, flat * 2.0])
    tall = tf.sparse.concat(0, [flat, tf.sparse.slice(flat, [1, 0], [4, 4])])
    cut = tf.sparse.slice(two, [1, 2], [4, 5])
    first, second, third = tf.sparse.split(sp_input=two, num_split=3, axis=1)
    dense = tf.sparse.to_dense(cut)
    slope = v1.gradients(tf.reduce_sum(tf.square(tf.sparse.to_dense(tf.sparse.slice(x, [0, 0, 1], [2, 2, 3])))), x.values)[0]
    return Case(parts(flat) + parts(two) + parts(tall) + parts(cut) + parts(first) + parts(second) + parts(third) + [dense, slope], feeds)


@case
def sparse_reductions():
    at = places(5, 3, 4, 2)
    x, feeds = sparse("x", at, numbers(6, len(at)), [3, 4, 2])
    sums = [tf.sparse.reduce_sum(x, a, keepdims=k) for a, k in ((None, False), (1, False), ([0, -1], True), (-1, False), ([0, 1], False))]
    most = [tf.sparse.reduce_max(x, a, keepdims=k) for a, k in ((None, False), (1, True), ([0, 2], False))]
    thin = v1.sparse_reduce_sum_sparse(x, 1), v1.sparse_reduce_max_sparse(x, [0, 2], keepdims=True)
    slopes = [v1.gradients(tf.reduce_sum(tf.exp(s)), x.values)[0] for s in sums]
    return Case(sums + most + parts(thin[0]) + parts(thin[1]) + slopes, feeds)


@case
def sparse_sums_and_extremes():
    a, feeds = sparse("a", MATRIX, numbers(7, 5), [4, 4])
    b, more = sparse("b", [[0, 0], [0, 3], [2, 1], [3, 3]], numbers(8, 4), [4, 4])
    c = tf.sparse.add(a, b)
    big = tf.sparse.add(a, b, threshold=0.5)
    dense = tf.sparse.add(tf.ones([4, 4]), a)
    larger, smaller = tf.sparse.maximum(a, b), tf.sparse.minimum(a, b)
    loss = tf.reduce_sum(tf.square(tf.sparse.to_dense(c))) + tf.reduce_sum(tf.sin(dense)) + tf.reduce_sum(big.values ** 3)
    return Case(parts(c) + parts(big) + [dense] + parts(larger) + parts(smaller) + v1.gradients(loss, [a.values, b.values]), {**feeds, **more})


@case
def sparse_cwise_and_softmax():
    at = places(9, 2, 3, 4, part=0.6)
    x, feeds = sparse("x", at, numbers(10, len(at)), [2, 3, 4])
    row, full = variable("row", numbers(11, 4)), variable("full", numbers(12, 3, 1) + 2)
    soft = tf.sparse.softmax(x * row)
    ratio = soft / full
    loss = tf.reduce_sum(tf.square(ratio.values)) + tf.reduce_sum(tf.sparse.to_dense(x * full))
    train = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    total = v1.sparse_tensor_to_dense(tf.sparse.softmax(x)) + 0
    return Case(parts(soft) + [ratio.values, loss, total, v1.gradients(loss, x.values)[0]], feeds, train, 5, 1e-3)


@case
def sparse_reorder_transpose():
    x, feeds = sparse("x", [[2, 1], [0, 3], [1, 0], [0, 1]], numbers(13, 4), [3, 4])
    ordered = tf.sparse.reorder(x)
    turned = tf.sparse.transpose(ordered)
    kept = tf.sparse.retain(ordered, ordered.values > 0)
    wide = tf.sparse.reset_shape(ordered, [5, 6])
    tight = tf.sparse.reset_shape(kept)
    more = tf.sparse.expand_dims(ordered, 1)
    seen = tf.sparse.to_indicator(tf.SparseTensor(ordered.indices, tf.constant([1, 3, 0, 2], tf.int64), ordered.dense_shape), 5)
    loss = tf.reduce_sum(tf.square(ordered.values) * tf.constant([1.0, 2, 3, 4])) + tf.reduce_sum(tf.sparse.to_dense(turned) ** 3)
    return Case(parts(ordered) + parts(turned) + parts(kept) + [wide.dense_shape, tight.dense_shape] + parts(more) + [tf.cast(seen, tf.int32), v1.gradients(loss, x.values)[0]], feeds)


@case
def sparse_eye_mask_fill():
    x, feeds = sparse("x", [[0, 2], [2, 0], [2, 1]], numbers(14, 3), [4, 3])
    filled, empty = tf.sparse.fill_empty_rows(x, 0.25)
    dense = tf.sparse.from_dense(tf.constant([[0.0, 2], [3, 0]]))
    eye = tf.sparse.eye(3, 4)
    slices = tf.IndexedSlices(tf.constant([[1.0], [2], [3]]), tf.constant([4, 7, 9]), tf.constant([10, 1]))
    masked = tf.sparse.mask(slices, [7])
    loss = tf.reduce_sum(tf.square(filled.values) * tf.range(1.0, 6.0))
    count = tf.sparse.bincount(tf.sparse.from_dense(tf.constant([[1, 3, 1], [2, 2, 0]], tf.int64)), axis=-1)
    counts = tf.sparse.bincount(tf.constant([[1, 3, 1], [2, 2, 0]]), weights=tf.constant([[1.0, 2, 3], [4, 5, 6]]), axis=-1, minlength=6)
    flat = v1.raw_ops.SparseBincount(indices=[[0, 0], [0, 2], [1, 0]], values=tf.constant([1, 3, 1]), dense_shape=[2, 3], size=5, weights=tf.constant([], tf.float32))
    rows = v1.raw_ops.RaggedBincount(splits=[0, 2, 2, 3], values=tf.constant([1, 3, 1]), size=4, weights=tf.constant([0.5, 1, 2]))
    return Case(parts(counts) + [flat, rows] + parts(filled) + [tf.cast(empty, tf.int32)] + parts(dense) + parts(eye) + [masked.values, masked.indices] + parts(count) + v1.gradients(loss, x.values), feeds)


# Embeddings


def ragged_ids():
    ids, feeds = sparse("ids", [[0, 0], [0, 1], [2, 0], [2, 1], [2, 2], [3, 0]], [3, 1, 5, 5, 0, -1], [5, 3], tf.int64)
    weights, more = sparse("weights", [[0, 0], [0, 1], [2, 0], [2, 1], [2, 2], [3, 0]], [0.5, 1, 2, 0.25, 1, 1], [5, 3])
    return ids, weights, {**feeds, **more}


def embedding_case(combiner, resource, weighted, partitions=1):
    def build():
        ids, weights, feeds = ragged_ids()
        if partitions == 1:
            table = variable("table", numbers(15, 6, 4), resource)
        else:
            table = v1.get_variable("table", [6, 4], initializer=v1.glorot_uniform_initializer(seed=3), partitioner=v1.fixed_size_partitioner(partitions), use_resource=resource)
        found = v1.nn.safe_embedding_lookup_sparse(table if partitions > 1 else [table], ids, weights if weighted else None, combiner=combiner, default_id=2)
        loss = tf.reduce_mean(tf.square(found - 0.3))
        train = v1.train.AdagradOptimizer(0.2).minimize(loss)
        return Case([loss, found], feeds, train, 8, 1e-3)

    return build


for combiner in ("sum", "mean", "sqrtn"):
    for resource in (False, True):
        for weighted in (False, True):
            name = f"safe_embedding_{combiner}{'_weighted' if weighted else ''}{'_resource' if resource else ''}"
            base.CASES[name] = embedding_case(combiner, resource, weighted)
base.CASES["safe_embedding_partitioned"] = embedding_case("mean", False, True, 3)
base.CASES["safe_embedding_partitioned_resource"] = embedding_case("sqrtn", True, False, 2)


@case
def sparse_segments():
    data = variable("data", numbers(16, 6, 3))
    ids, rows = tf.constant([0, 0, 1, 3]), tf.constant([2, 5, 5, 0])
    results = []
    for op in (tf.sparse.segment_sum, tf.sparse.segment_mean, tf.sparse.segment_sqrt_n):
        results += [op(data, rows, ids), op(data, rows, ids, num_segments=6)]
    rowed = [v1.raw_ops.SparseSegmentMean(data=data, indices=rows, segment_ids=ids, sparse_gradient=True)]
    loss = tf.add_n([tf.reduce_sum(tf.square(r) * (i + 1)) for i, r in enumerate(results + rowed)])
    train = v1.train.MomentumOptimizer(0.01, 0.9).minimize(loss)
    return Case(results + [loss, data], {}, train, 5, 1e-3)


@case
def sparse_linear_ftrl():
    at = places(17, 8, 20, part=0.2)
    x, feeds = sparse("x", at, np.abs(numbers(18, len(at))), [8, 20])
    y = v1.placeholder(tf.float32, [8, 1], name="y")
    feeds[y] = (np.arange(8) % 2).astype(np.float32).reshape(8, 1)
    w, b = variable("w", np.zeros((20, 1), np.float32)), variable("b", np.zeros(1, np.float32))
    logits = v1.sparse_tensor_dense_matmul(x, w) + b
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
    train = v1.train.FtrlOptimizer(0.2, l1_regularization_strength=0.01).minimize(loss)
    return Case([loss, logits, w], feeds, train, 15, 1e-3)


# Samplers


SAMPLERS = {
    "uniform": lambda y, u: v1.nn.uniform_candidate_sampler(y, 2, 5, u, 30, seed=7),
    "log_uniform": lambda y, u: v1.nn.log_uniform_candidate_sampler(y, 2, 5, u, 30, seed=8),
    "learned_unigram": lambda y, u: v1.nn.learned_unigram_candidate_sampler(y, 2, 5, u, 30, seed=9),
    "thread_unsafe_unigram": lambda y, u: v1.raw_ops.ThreadUnsafeUnigramCandidateSampler(true_classes=y, num_true=2, num_sampled=5, unique=u, range_max=30, seed=3, seed2=4),
    "fixed_unigram": lambda y, u: v1.nn.fixed_unigram_candidate_sampler(y, 2, 5, u, 9, unigrams=[5.0, 1, 3, 0.5, 2, 2, 7, 0.1], num_reserved_ids=1, distortion=0.75, seed=10),
    "all": lambda y, u: v1.nn.all_candidate_sampler(y, 2, 9, u, seed=11),
}


def sampler_case(make):
    def build():
        y = v1.placeholder(tf.int64, [3, 2], name="y")
        w = variable("w", np.float32(0))
        fetches = []
        for unique in (True, False):
            drawn = make(y, unique)
            hits = v1.nn.compute_accidental_hits(y, drawn[0], 2)
            fetches += list(drawn) + list(hits)
        with v1.control_dependencies([fetches[0], fetches[6]]):
            train = w.assign_add(1.0).op
        return Case(fetches, {y: np.array([[1, 2], [3, 2], [8, 0]])}, train, 6, 2e-6)

    return build


for name, make in SAMPLERS.items():
    base.CASES["sampler_" + name] = sampler_case(make)


def word2vec(loss_of, resource):
    def build():
        x, y = v1.placeholder(tf.int32, [6], name="x"), v1.placeholder(tf.int64, [6, 1], name="y")
        table = variable("table", numbers(20, 40, 5), resource)
        w, b = variable("w", numbers(21, 40, 5), resource), variable("b", np.zeros(40, np.float32), resource)
        v1.set_random_seed(5)
        loss = tf.reduce_mean(loss_of(w, b, y, tf.nn.embedding_lookup(table, x)))
        train = v1.train.GradientDescentOptimizer(0.5).minimize(loss)
        similar = tf.matmul(tf.math.l2_normalize(table, 1), tf.math.l2_normalize(table, 1), transpose_b=True)
        return Case([loss, similar, tf.identity(w)], {x: np.array([1, 4, 4, 0, 39, 7], np.int32), y: np.array([[0], [3], [9], [1], [2], [39]])}, train, 10, 1e-3)

    return build


base.CASES["nce"] = word2vec(lambda w, b, y, h: v1.nn.nce_loss(w, b, y, h, 8, 40), False)
base.CASES["nce_resource"] = word2vec(lambda w, b, y, h: v1.nn.nce_loss(w, b, y, h, 8, 40, remove_accidental_hits=True), True)
base.CASES["sampled_softmax"] = word2vec(lambda w, b, y, h: v1.nn.sampled_softmax_loss(w, b, y, h, 8, 40), False)
base.CASES["sampled_softmax_learned"] = word2vec(
    lambda w, b, y, h: v1.nn.sampled_softmax_loss(w, b, y, h, 8, 40, sampled_values=v1.nn.learned_unigram_candidate_sampler(y, 1, 8, True, 40, seed=3)), True)


# Tables


WORDS = ["the", "cat", "sat", "on", "mat", "größe", "日本", ""]


@case
def table_from_tensor():
    i = v1.placeholder(tf.int32, [6], name="i")
    words = tf.gather(tf.constant(WORDS + ["dog", "a cat", "zebra"]), i)
    table = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(WORDS[:5], tf.range(5, dtype=tf.int64)), 3)
    ids = table.lookup(words)
    plain = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(WORDS[:5], [0.5, 1, 2, 3, 4.5]), -1.0)
    weights = plain.lookup(words)
    back = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.range(5, dtype=tf.int64), WORDS[:5]), "UNK").lookup(ids)
    w = variable("w", numbers(22, 8, 3))
    loss = tf.reduce_mean(tf.square(tf.nn.embedding_lookup(w, ids)) * tf.expand_dims(weights, 1))
    train = v1.train.GradientDescentOptimizer(0.5).minimize(loss)
    same = tf.cast(tf.equal(back, words), tf.int32)
    return Case([ids, weights, same, tf.strings.to_hash_bucket_fast(back, 1000), loss, table.size(), plain.size()], {i: np.array([0, 4, 8, 9, 10, 2], np.int32)}, train, 5, 1e-3)


@case
def table_mutable():
    i = v1.placeholder(tf.int64, [4], name="i")
    table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, 0.0)
    vectors = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0.0, -1.0])
    dense = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -7, empty_key=-1, deleted_key=-2)
    step = variable("step", np.int64(0))
    with v1.control_dependencies([step.assign_add(1)]):
        now = step.read_value() if hasattr(step, "read_value") else step + 0
        inserts = [table.insert(i + now, tf.cast(i, tf.float32) * 2), vectors.insert(i, tf.stack([tf.cast(i, tf.float32), tf.cast(now + 0 * i, tf.float32)], 1)), dense.insert(i + now, i)]
    with v1.control_dependencies(inserts):
        removes = [table.remove(i[:1] + now), dense.remove(i[1:2] + now)]
    train = tf.group(removes)
    wanted = tf.range(0, 20, dtype=tf.int64)
    keys, values = table.export()
    return Case([table.lookup(wanted), vectors.lookup(wanted[:8]), dense.lookup(wanted), table.size(), vectors.size(), dense.size(), tf.sort(keys), tf.reduce_sum(values)], {i: np.array([3, 5, 0, 9])}, train, 4)


@case
def table_in_branches():
    i = v1.placeholder(tf.int64, [3], name="i")
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant([1, 2, 3], tf.int64), tf.constant([10, 20, 30], tf.int64)), -1)
    branch = tf.cond(tf.reduce_sum(i) > 5, lambda: table.lookup(i) + 1, lambda: table.lookup(i * 0 + 1))
    _, loop = tf.while_loop(lambda k, _: k < 3, lambda k, s: (k + 1, s + table.lookup(i + tf.cast(k, tf.int64))), [tf.constant(0), i * 0])
    mapped = tf.map_fn(table.lookup, i)

    @tf.function
    def called(x):
        return table.lookup(x) * 3

    return Case([branch, loop, mapped, called(i)], {i: np.array([1, 2, 9])})


@base.function_case
def table_in_functions():
    i = v1.placeholder(tf.int64, [3], name="i")
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant([1, 2, 3], tf.int64), tf.constant([10, 20, 30], tf.int64)), -1)
    branch = tf.cond(tf.reduce_sum(i) > 5, lambda: table.lookup(i) + 1, lambda: table.lookup(i * 0 + 1))
    _, loop = tf.while_loop(lambda k, _: k < 3, lambda k, s: (k + 1, s + table.lookup(i + tf.cast(k, tf.int64))), [tf.constant(0), i * 0])
    return Case([branch, loop], {i: np.array([1, 2, 9])})


@case
def text_buckets():
    random = np.random.RandomState(24)
    texts = tf.constant([random.bytes(n) for n in range(0, 201)] + [random.bytes(n % 40) for n in range(100)] + [w.encode() for w in WORDS])
    return Case([v1.string_to_hash_bucket(texts, 1 << 40), tf.strings.to_hash_bucket_fast(texts, (1 << 62) + 1), tf.strings.to_hash_bucket_strong(texts, (1 << 62) + 1, [17, -5]), tf.strings.to_hash_bucket_fast(texts, 7)], {})


# Feature columns


def columns():
    fc = v1.feature_column
    return fc, tf.feature_column


@case
def feature_columns_vocabulary():
    fc, new = columns()
    i = v1.placeholder(tf.int32, [5, 1], name="i")
    words = tf.gather(tf.constant(WORDS[:5] + ["dog"]), i)
    word = fc.categorical_column_with_vocabulary_list("word", WORDS[:5], num_oov_buckets=2)
    plain = fc.categorical_column_with_vocabulary_list("word", WORDS[:4], default_value=1)
    hashed = fc.categorical_column_with_hash_bucket("text", 10)
    number = fc.numeric_column("x")
    deep = fc.input_layer({"word": words, "text": words, "x": tf.cast(i, tf.float32)}, [fc.embedding_column(word, 3, initializer=v1.glorot_uniform_initializer(seed=1)), fc.indicator_column(plain), fc.embedding_column(hashed, 2, combiner="sqrtn", initializer=v1.glorot_uniform_initializer(seed=2)), number, fc.bucketized_column(number, [1.0, 3.0])])
    loss = tf.reduce_mean(tf.square(deep - 0.4))
    train = v1.train.AdagradOptimizer(0.3).minimize(loss)
    return Case([deep, loss], {i: np.array([[0], [5], [2], [4], [0]], np.int32)}, train, 6, 1e-3)


@case
def feature_columns_linear():
    fc, new = columns()
    ids, feeds = sparse("i", [[0, 0], [0, 1], [1, 0], [3, 0]], [0, 3, 5, 1], [4, 2], tf.int64)
    words = tf.SparseTensor(ids.indices, tf.gather(tf.constant(WORDS[:5] + ["dog"]), ids.values), ids.dense_shape)
    x = v1.placeholder(tf.float32, [4, 1], name="x")
    feeds[x] = numbers(23, 4, 1) * 3
    word = fc.categorical_column_with_vocabulary_list("word", WORDS[:5], num_oov_buckets=1)
    bucket = fc.bucketized_column(fc.numeric_column("x"), [-1.0, 0, 1.0])
    crossed = fc.crossed_column(["word", bucket], 16)
    identity = fc.categorical_column_with_identity("id", 8, default_value=0)
    logits = fc.linear_model({"word": words, "x": x, "id": ids}, [word, bucket, crossed, identity, fc.numeric_column("x")])
    y = tf.constant([[1.0], [0], [1], [0]])
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
    train = v1.train.FtrlOptimizer(0.3).minimize(loss)
    return Case([logits, loss], feeds, train, 8, 1e-3)


@case
def feature_columns_weighted_shared():
    fc, new = columns()
    ids, feeds = sparse("i", [[0, 0], [0, 1], [1, 0], [3, 0]], [0, 3, 5, 1], [4, 2], tf.int64)
    weight, more = sparse("weight", [[0, 0], [0, 1], [1, 0], [3, 0]], [0.5, 2, 1, 3], [4, 2])
    a = fc.categorical_column_with_identity("a", 8)
    b = fc.categorical_column_with_identity("b", 8)
    shared = v1.feature_column.shared_embedding_columns([a, b], 3, initializer=v1.glorot_uniform_initializer(seed=4))
    weighted = fc.weighted_categorical_column(fc.categorical_column_with_identity("c", 8), "weight")
    deep = fc.input_layer({"a": ids, "b": ids, "c": ids, "weight": weight}, [fc.embedding_column(weighted, 2, initializer=v1.glorot_uniform_initializer(seed=5)), fc.indicator_column(weighted)] + shared)
    loss = tf.reduce_mean(tf.square(deep - 0.4))
    train = v1.train.AdamOptimizer(0.1).minimize(loss)
    return Case([deep, loss], {**feeds, **more}, train, 6, 1e-3)


@case
def crossed_texts():
    i = v1.placeholder(tf.int32, [4], name="i")
    texts = tf.gather(tf.constant(WORDS), i)
    a = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [2, 0]], texts, [3, 2])
    b = tf.SparseTensor([[0, 0], [1, 0], [1, 1], [2, 0]], tf.constant([5, 6, 7, 8], tf.int64), [3, 2])
    d = tf.reshape(tf.gather(texts, [0, 1, 2]), [3, 1])
    joined, other = tf.sparse.cross([a, b, d]), tf.sparse.cross([a, d], separator="--")
    hashed, narrow = tf.sparse.cross_hashed([a, b, d]), tf.sparse.cross_hashed([a, b], num_buckets=100, hash_key=7)
    h = [tf.strings.to_hash_bucket_fast(x.values, 1 << 60) for x in (joined, other)]
    old = v1.raw_ops.SparseCross(indices=[a.indices], values=[a.values], shapes=[a.dense_shape], dense_inputs=[d], hashed_output=False, num_buckets=0, hash_key=3, out_type=tf.string, internal_type=tf.string)
    raw = [v1.raw_ops.SparseCrossHashed(indices=[a.indices, b.indices], values=[a.values, b.values], shapes=[a.dense_shape, b.dense_shape], dense_inputs=[d], num_buckets=1000, strong_hash=s, salt=[3, 9]) for s in (False, True)]
    return Case([joined.indices, joined.dense_shape] + h + parts(hashed) + parts(narrow) + [tf.strings.to_hash_bucket_fast(old.output_values, 1 << 60)] + [r.output_values for r in raw], {i: np.array([1, 0, 5, 6], np.int32)})


@case
def sets():
    a = tf.constant([[1, 2, 2], [9, 3, 1]])
    x, feeds = sparse("x", [[0, 0], [0, 2], [1, 1]], [2, 7, 3], [2, 3], tf.int32)
    y, more = sparse("y", [[0, 0], [1, 0], [1, 2]], [2, 5, 3], [2, 3], tf.int32)
    fetches = []
    for result in (tf.sets.union(a, x), tf.sets.intersection(x, y), tf.sets.difference(x, y), tf.sets.union(x, y), tf.sets.difference(a, x), tf.sets.intersection(a, x)):
        fetches += parts(result)
    words, colours = tf.constant([["b", "a", "b"], ["", "c", "d"]]), tf.constant([["a", "e"], ["d", ""]])
    for result in (tf.sets.union(words, colours), tf.sets.intersection(words, colours), tf.sets.difference(words, colours)):
        fetches += [*parts(result), tf.sets.size(result)]
    return Case(fetches + [tf.sets.size(x)], {**feeds, **more})


if __name__ == "__main__":
    base.main()
