/* ngtcp2 and other users of wolfSSL include <wolfssl/options.h> to learn how it was built.
 * Here that is told by user_settings.h. */
#ifndef WOLFSSL_OPTIONS_H
#define WOLFSSL_OPTIONS_H
#ifndef WOLFSSL_USER_SETTINGS
#define WOLFSSL_USER_SETTINGS
#endif
#endif
