/* Names by which other programs find functions: of this variant, doamc_NAME_VARIANT. */
#ifndef DOAMC_EXPORTS_H
#define DOAMC_EXPORTS_H

#if defined _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
#define JOIN(name, variant) doamc_##name##_##variant
#define JOINED(name, variant) JOIN(name, variant)
#define NAME(name) JOINED(name, VARIANT)

#endif
