/* SPDX-License-Identifier: ISC */
#include "common/dns_options.h"

#include "spfd/server_int.h"

int
server_open_dns(struct server *server, struct err *err)
{
	server->dns =
	    dns_new(server->dns_config, policysrv_loop(server->srv), err);
	if (server->dns == NULL)
		return -1;
	server->spf = spf_new(server->dns, err);
	if (server->spf == NULL)
		return -1;
	server->pool = session_pool_new(server->dns, server->spf);
	return 0;
}

void
server_close_dns(struct server *server)
{
	session_pool_free(&server->pool);
	spf_free(&server->spf);
	dns_free(&server->dns);
	dns_options_free(&server->dns_config);
}
