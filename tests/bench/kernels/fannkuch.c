// Fannkuch: permutations of nine and their prefix reversals; small arrays, unpredictable loops.
#include "kernel.h"

enum { N = 9 };

EXPORT("main") void run(void) {
    int permutation[N], work[N], count[N];
    int flips_max = 0, checksum = 0, left = N, number = 0;
    for (int i = 0; i < N; i++) permutation[i] = i;
    for (;;) {
        for (; left > 1; left--) count[left - 1] = left;
        for (int i = 0; i < N; i++) work[i] = permutation[i];
        int flips = 0;
        for (int first = work[0]; first; first = work[0]) {
            for (int low = 0, high = first; low < high; low++, high--) {
                int kept = work[low];
                work[low] = work[high];
                work[high] = kept;
            }
            flips++;
        }
        if (flips > flips_max) flips_max = flips;
        checksum += number % 2 ? -flips : flips;
        for (;; left++) {
            if (left == N) {
                give((u64)(u32)checksum << 32 | (u32)flips_max);
                return;
            }
            int first = permutation[0];
            for (int i = 0; i < left; i++) permutation[i] = permutation[i + 1];
            permutation[left] = first;
            if (--count[left] > 0) break;
        }
        number++;
    }
}
