/* What the compiler calls for structures that are copied or cleared. Linked only into contracts that need it. */
#include <stdint.h>

#define VISIBLE __attribute__((visibility("default")))

VISIBLE void *memcpy(void *to, const void *from, __SIZE_TYPE__ length) {
    for (__SIZE_TYPE__ i = 0; i < length; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}

VISIBLE void *memset(void *to, int byte, __SIZE_TYPE__ length) {
    for (__SIZE_TYPE__ i = 0; i < length; i++) ((uint8_t *)to)[i] = (uint8_t)byte;
    return to;
}
