/* Depthwise convolutions of float32 maps whose batch lies innermost, and both of their gradients.
 *
 * Maps are (rows, height, width, batch), contiguous; results (groups, channels, height', width', batch). A group is one set of `channels`
 * filters; it reads all rows where these are `channels` (they share their input), else its own `channels` of them. The padding is
 * dilation * (side / 2), so height' = ceil(height / stride).
 *
 * A pixel is a line of `batch` floats: it is added up in registers over the taps that reach it, whatever the geometry, and nothing is
 * copied or padded. Every sum has one order, which neither the number of threads (each takes whole channels) nor anything else changes.
 */
#include <stdlib.h>
#include <string.h>

typedef float vector __attribute__((vector_size(64), aligned(4), may_alias));
enum { LANES = 16, WIDE = 4 * LANES };

typedef struct { long height, width, batch, channels, stride, shared; } Maps;
typedef struct { long groups, side, dilation; const float *weight; float *gradient; } Kernel;   /* weight: groups, channels, side, side */
typedef struct { long *first, *from, *tap; } Reach;   /* pixel p is reached from[i] by tap[i], first[p] <= i < first[p + 1] */

static long small(const Maps *m, long length) { return (length + m->stride - 1) / m->stride; }

/* For every pixel of the result (or, `back`, of the input) the pixels on the other side and the taps between them. */
static int reach(const Maps *m, const Kernel *k, int back, Reach *r) {
    long down = small(m, m->height), right = small(m, m->width), s = m->stride, n = 0, p = 0;
    long rows = back ? m->height : down, columns = back ? m->width : right;
    r->first = malloc(sizeof(long) * (rows * columns + 1 + 2 * rows * columns * k->side * k->side));
    if (!r->first) return 0;
    r->from = r->first + rows * columns + 1;
    r->tap = r->from + rows * columns * k->side * k->side;
    for (long y = 0; y < rows; y++)
        for (long x = 0; x < columns; x++) {
            r->first[p++] = n;
            for (long t = 0; t < k->side * k->side; t++) {
                long a = (t / k->side - k->side / 2) * k->dilation, b = (t % k->side - k->side / 2) * k->dilation;
                long v = back ? y - a : y * s + a, u = back ? x - b : x * s + b;
                if (back) {
                    if (v < 0 || u < 0 || v % s || u % s || v / s >= down || u / s >= right) continue;
                    r->from[n] = v / s * right + u / s;
                } else {
                    if (v < 0 || u < 0 || v >= m->height || u >= m->width) continue;
                    r->from[n] = v * m->width + u;
                }
                r->tap[n++] = t;
            }
        }
    r->first[p] = n;
    return 1;
}

/* to[p] (+)= sum of weight[tap] * from[pixel], for every pixel p. */
static void gather(float *to, const float *from, const float *weight, const Reach *r, long pixels, long batch, int add) {
    for (long p = 0; p < pixels; p++, to += batch) {
        const long *at = r->from + r->first[p], *tap = r->tap + r->first[p], count = r->first[p + 1] - r->first[p];
        long i = 0;
        for (; i + WIDE <= batch; i += WIDE) {
            vector sum[4] = {{0}, {0}, {0}, {0}}, *out = (vector *)(to + i);
            if (add) for (int j = 0; j < 4; j++) sum[j] = out[j];
            for (long t = 0; t < count; t++) {
                const vector *in = (const vector *)(from + at[t] * batch + i);
                for (int j = 0; j < 4; j++) sum[j] += weight[tap[t]] * in[j];
            }
            for (int j = 0; j < 4; j++) out[j] = sum[j];
        }
        for (; i + LANES <= batch; i += LANES) {
            vector sum = {0}, *out = (vector *)(to + i);
            if (add) sum = *out;
            for (long t = 0; t < count; t++) sum += weight[tap[t]] * *(const vector *)(from + at[t] * batch + i);
            *out = sum;
        }
        for (; i < batch; i++) {
            float sum = add ? to[i] : 0;
            for (long t = 0; t < count; t++) sum += weight[tap[t]] * from[at[t] * batch + i];
            to[i] = sum;
        }
    }
}

static float dot(const float *one, const float *other, long length) {
    vector sum[4] = {{0}, {0}, {0}, {0}};
    float rest = 0;
    long i = 0;
    for (; i + WIDE <= length; i += WIDE)
        for (int j = 0; j < 4; j++) sum[j] += ((const vector *)(one + i))[j] * ((const vector *)(other + i))[j];
    for (; i + LANES <= length; i += LANES) sum[0] += *(const vector *)(one + i) * *(const vector *)(other + i);
    for (; i < length; i++) rest += one[i] * other[i];
    sum[0] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    for (int j = 0; j < LANES; j++) rest += sum[0][j];
    return rest;
}

/* gradient[t] = sum over the pixels that tap t joins; lines that lie behind each other on both sides are one. */
static void correlate(float *gradient, const float *from, const float *to, const Maps *m, const Kernel *k) {
    long down = small(m, m->height), right = small(m, m->width), s = m->stride, batch = m->batch;
    for (long t = 0; t < k->side * k->side; t++) {
        long a = (t / k->side - k->side / 2) * k->dilation, b = (t % k->side - k->side / 2) * k->dilation;
        long x0 = b < 0 ? (-b + s - 1) / s : 0, x1 = m->width - b > 0 ? (m->width - b + s - 1) / s : 0;
        double sum = 0;
        if (x1 > right) x1 = right;
        for (long y = 0; y < down; y++) {
            long v = y * s + a;
            if (v < 0 || v >= m->height || x0 >= x1) continue;
            const float *above = from + (v * m->width + x0 * s + b) * batch, *below = to + (y * right + x0) * batch;
            if (s == 1) sum += dot(above, below, (x1 - x0) * batch);
            else for (long x = x0; x < x1; x++, above += s * batch, below += batch) sum += dot(above, below, batch);
        }
        gradient[t] = (float)sum;
    }
}

/* The channels first <= c < last of all kernels, one after the other. Returns 0 where memory is short. */
int depthwise_forward(const Maps *m, const Kernel *kernels, long count, const float *maps, float *result, long first, long last) {
    long inside = m->height * m->width * m->batch, pixels = small(m, m->height) * small(m, m->width), group = 0;
    for (const Kernel *k = kernels; k < kernels + count; group += k->groups, k++) {
        Reach r;
        if (!reach(m, k, 0, &r)) return 0;
        for (long c = first; c < last; c++)
            for (long g = 0; g < k->groups; g++) {
                long row = (group + g) * m->channels + c;
                gather(result + row * pixels * m->batch, maps + (m->shared ? c : row) * inside,
                       k->weight + (g * m->channels + c) * k->side * k->side, &r, pixels, m->batch, 0);
            }
        free(r.first);
    }
    return 1;
}

/* `d_maps` may be NULL, and so may a kernel's `gradient`. */
int depthwise_backward(const Maps *m, const Kernel *kernels, long count, const float *maps, const float *d_result, float *d_maps, long first,
                       long last) {
    long pixels = m->height * m->width, inside = pixels * m->batch;
    long outside = small(m, m->height) * small(m, m->width) * m->batch, group = 0;
    for (const Kernel *k = kernels; k < kernels + count; group += k->groups, k++) {
        Reach r = {0};
        if (d_maps && !reach(m, k, 1, &r)) return 0;
        for (long c = first; c < last; c++)
            for (long g = 0; g < k->groups; g++) {
                long row = (group + g) * m->channels + c, own = m->shared ? c : row, filter = (g * m->channels + c) * k->side * k->side;
                if (d_maps)
                    gather(d_maps + own * inside, d_result + row * outside, k->weight + filter, &r, pixels, m->batch, m->shared && group + g);
                if (k->gradient) correlate(k->gradient + filter, maps + own * inside, d_result + row * outside, m, k);
            }
        free(r.first);
    }
    return 1;
}
