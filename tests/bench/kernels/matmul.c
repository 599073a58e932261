// Product of two integer matrices: three nested loops, loads and multiplications.
#include "kernel.h"

enum { N = 160 };
static u64 a[N][N], b[N][N], c[N][N];

EXPORT("main") void run(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = i * 31 + j, b[i][j] = i ^ j * 17;
    for (int repeat = 0; repeat < 4; repeat++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                u64 sum = 0;
                for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
                c[i][j] += sum;
            }
    u64 checksum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) checksum = checksum * 3 + c[i][j];
    give(checksum);
}
