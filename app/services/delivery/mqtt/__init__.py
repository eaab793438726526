"""Events on an MQTT broker, for Home Assistant and users of Double Take."""
