/*
 * The whole Sluice plugin contract in one include. A plugin may also include only the parts it uses.
 */
#ifndef SLUICE_H
#define SLUICE_H

#include "types.h"
#include "status.h"
#include "host.h"
#include "plugin.h"
#include "principal.h"
#include "event.h"
#include "ext/http.h"
#include "ext/request-credential.h"
#include "ext/client-certificate.h"
#include "ext/phases.h"
#include "ext/websocket.h"
#include "ext/websocket-credential.h"
#include "ext/identify.h"
#include "ext/messages.h"
#include "ext/event-names.h"
#include "ext/groups.h"
#include "ext/store.h"
#include "ext/bus.h"
#include "ext/history.h"
#include "ext/presence.h"
#include "ext/events.h"
#include "ext/services.h"
#include "ext/worker.h"
#include "ext/loop.h"
#include "ext/timer.h"
#include "ext/random.h"
#include "ext/clock.h"
#include "ext/log.h"
#include "ext/metrics.h"
#include "ext/thread-check.h"
#include "ext/config.h"
#include "ext/secrets.h"
#include "ext/tenants.h"
#include "services/accounts.h"
#include "services/authenticator.h"
#include "services/channel-authority.h"

#endif
