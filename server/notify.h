/* Tells a service manager how the server is: systemd's sd_notify, without its library. */
#ifndef FTL_SERVER_NOTIFY_H
#define FTL_SERVER_NOTIFY_H

/* Such as "READY=1" or "STOPPING=1". Without NOTIFY_SOCKET in the environment: nothing. */
void srv_notify(const char *state);

#endif
