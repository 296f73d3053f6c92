"""The connectors of the market room: each asks one outside source politely and reads its answers into rows."""
