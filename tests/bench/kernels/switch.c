// A byte-code loop: an unpredictable `switch` an iteration, as in an interpreter.
#include "kernel.h"

EXPORT("main") void run(void) {
    u32 seed = 1;
    u64 x = 0;
    for (int i = 0; i < 8000000; i++) {
        seed = seed * 1664525 + 1013904223;
        switch (seed >> 29) {
        case 0: x += seed; break;
        case 1: x ^= seed; break;
        case 2: x = x << 1 | x >> 63; break;
        case 3: x -= 7; break;
        case 4: x *= 5; break;
        case 5: x ^= x >> 13; break;
        case 6: x += i; break;
        default: x = ~x; break;
        }
    }
    give(x);
}
